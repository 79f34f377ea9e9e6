//! Programs that fetch.
//!
//! Owns: what `curl` and `wget` touch, and whether what they fetch changes behind the same name. Never does: ask the network.

use super::draft::{Draft, Outcome, Word, parent};
use super::fixed::is_fixed_url;
use super::options::{Options, Parsed};
use super::{Area, Fetch, git};

/// The command, if it is one of these.
pub fn command(draft: &mut Draft<'_>, program: &str, words: &[Word]) -> Option<Outcome> {
    let known: fn(&mut Draft<'_>, &[Word]) -> Outcome = match program {
        "curl" => curl,
        "wget" => wget,
        "git" => git::command,
        "ssh-keyscan" => keyscan,
        _ => return None,
    };
    draft.reads_system();
    draft.reads_tools();
    Some(known(draft, words))
}

const CURL: Options = Options {
    short: "LsSfkOJgiIvNnqRaBjl#046123o>x:H:d:X:u:m:A:e:b:c>C:E:K<T<F:r:w:y:Y:z:D>Z",
    long: "location silent show-error fail insecure remote-name remote-header-name output> retry: retry-delay: retry-max-time: \
           retry-connrefused retry-all-errors connect-timeout: max-time: header: data: data-raw: request: user: user-agent: referer: \
           cookie: cookie-jar> create-dirs compressed progress-bar no-progress-meter proto: proto-redir: proto-default: tlsv1 tlsv1.2 \
           tlsv1.3 ssl-reqd cacert< capath: cert< key< ciphers: http1.1 http2 ipv4 ipv6 noproxy: proxy: proxy-insecure output-dir: \
           remote-name-all continue-at: fail-with-body fail-early globoff netrc-optional location-trusted max-redirs: limit-rate: \
           keepalive-time: no-keepalive speed-limit: speed-time: include head verbose url: write-out: stderr> dump-header> \
           config< upload-file< parallel parallel-max: parallel-immediate version raw range: remote-time interface: resolve: ssl-no-revoke form: data-urlencode: \
           data-binary: no-buffer tcp-nodelay anyauth basic negotiate oauth2-bearer: max-filesize: post301 post302 post303 http1.0",
};

fn curl(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    let parsed = CURL.parse(words)?;
    if parsed.has(&["-K", "--config"]) {
        return Err("its options are in a file".to_owned());
    }
    let mut urls = parsed.operands.clone();
    urls.extend(parsed.given.iter().filter(|given| given.name == "--url").filter_map(|given| given.value.clone()));
    fetched(draft, "curl", &urls)?;
    home_files(draft, &[".curlrc", ".netrc"]);
    let folder = parsed.value(&["--output-dir"]).cloned();
    for given in &parsed.given {
        let Some(value) = &given.value else { continue };
        match given.name.as_str() {
            "-o" | "--output" => output(draft, &inside(folder.as_ref(), value), parsed.has(&["--create-dirs"]))?,
            "-d" | "--data" | "-F" | "--form" | "--data-binary" | "--data-urlencode" if value.text().contains('@') => {
                draft.read(&Word::known(value.text().rsplit('@').next().unwrap_or_default()))?;
            }
            // A password may be asked of a file, a cookie be one.
            "-b" | "--cookie" if !value.text().contains('=') => draft.read(value)?,
            "-c" | "--cookie-jar" | "-D" | "--dump-header" | "--stderr" => draft.write(value)?,
            "-E" | "--cert" | "--key" | "--cacert" | "-T" | "--upload-file" => draft.read(value)?,
            "--capath" => draft.read_below(value)?,
            _ => {}
        }
    }
    if parsed.has(&["-J", "--remote-header-name"]) {
        return draft.write_below(&folder.unwrap_or_else(|| draft.here()));
    }
    if parsed.has(&["-O", "--remote-name", "--remote-name-all"]) {
        return urls.iter().try_for_each(|url| named_by(draft, url, folder.as_ref()));
    }
    Ok(())
}

const WGET: Options = Options {
    short: "qvncNxSi<O>P:t:T:U:erRmkKpEHLbdo>a>w:l:D:A:I:X:46Q:",
    long: "quiet verbose no-verbose output-document> directory-prefix: no-check-certificate tries: timeout: user-agent: header: \
           content-disposition no-clobber continue timestamping progress: show-progress https-only no-cookies input-file< \
           no-hsts retry-connrefused waitretry: read-timeout: dns-timeout: connect-timeout: user: password: http-user: \
           http-password: post-data: method: body-data: ca-certificate< certificate< private-key< max-redirect: no-proxy \
           output-file> append-output> recursive mirror no-parent no-host-directories cut-dirs: level: accept: reject: \
           page-requisites secure-protocol: inet4-only trust-server-names load-cookies< save-cookies> keep-session-cookies quota: \
           no-directories no-dns-cache compression: wait: random-wait adjust-extension restrict-file-names: domains: \
           server-response limit-rate: random-file: no-cache auth-no-challenge retry-on-http-error: referer: convert-links spider",
};

fn wget(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    // `-nv`, `-nc`, `-nd`, `-nH`, `-np` are options of two letters.
    let words: Vec<Word> =
        words.iter().filter(|word| !matches!(word.text(), "-nv" | "-nc" | "-nd" | "-nH" | "-np" | "-c")).cloned().collect();
    let parsed = WGET.parse(&words)?;
    draft.option_files(&parsed)?;
    if parsed.has(&["-i", "--input-file", "-e"]) {
        return Err("its options or URLs are not all seen here".to_owned());
    }
    fetched(draft, "wget", &parsed.operands)?;
    home_files(draft, &[".wgetrc", ".netrc"]);
    if parsed.has(&["-O", "--output-document", "--spider"]) {
        return Ok(());
    }
    let folder = parsed.value(&["-P", "--directory-prefix"]).cloned();
    if let Some(folder) = &folder {
        draft.make_folders(folder)?;
    }
    if parsed.has(&[
        "-r",
        "--recursive",
        "-m",
        "--mirror",
        "-p",
        "--page-requisites",
        "-x",
        "--content-disposition",
        "--trust-server-names",
    ]) {
        return draft.write_below(&folder.unwrap_or_else(|| draft.here()));
    }
    parsed.operands.iter().try_for_each(|url| named_by(draft, url, folder.as_ref()))
}

fn inside(folder: Option<&Word>, file: &Word) -> Word {
    match (folder.and_then(|folder| folder.value.as_ref()), &file.value) {
        (Some(folder), Some(name)) if !name.starts_with('/') => Word::known(&format!("{folder}/{name}")),
        _ => file.clone(),
    }
}

fn output(draft: &mut Draft<'_>, file: &Word, with_folders: bool) -> Outcome {
    if with_folders {
        for place in draft.places(file)? {
            draft.makes_folders_above(place.path());
        }
    }
    draft.write(file)
}

/// The file in the folder that has the name of the URL's last part.
fn named_by(draft: &mut Draft<'_>, url: &Word, folder: Option<&Word>) -> Outcome {
    let text = url.value.as_deref().unwrap_or(&url.raw).trim_matches(['"', '\'']);
    let name = text.split(['?', '#']).next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
    if name.is_empty() || name.contains(['$', '`', '{', '[', ')', '%']) || !text.contains("//") && !text.contains('/') {
        return draft.write_below(&folder.cloned().unwrap_or_else(|| draft.here()));
    }
    draft.write(&inside(folder, &Word::known(name)))
}

fn fetched(draft: &mut Draft<'_>, program: &str, urls: &[Word]) -> Outcome {
    let pins = draft.sight.ran.pins;
    for url in urls {
        let text = url.value.as_deref().unwrap_or(&url.raw).trim_matches(['"', '\'']);
        if text.starts_with("file:") {
            return Err("it reads a file".to_owned());
        }
        let local = ["localhost", "127.0.0.1", "[::1]"];
        let host = text.split_once("://").map_or(text, |(_, rest)| rest);
        if local.iter().any(|name| host.starts_with(name)) {
            return Err("it asks a server in the build itself".to_owned());
        }
        // As written and expanded: a variable's name tells a version, and so does its value.
        let fixed = pins.checksum || is_fixed_url(text) || is_fixed_url(&url.raw);
        draft.fetches(if fixed { Fetch::Fixed } else { Fetch::Mutable(format!("`{program} {text}`, which names no version")) });
    }
    Ok(())
}

/// Settings and passwords in the home folder.
pub fn home_files(draft: &mut Draft<'_>, names: &[&str]) {
    let paths: Vec<String> = names.iter().filter_map(|name| draft.below_home(name)).collect();
    draft.reads(paths.into_iter().map(Area::At));
}

/// Keys of hosts stay what they are.
fn keyscan(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    let parsed: Parsed = Options { short: "Ht:p:T:46cDv", long: "" }.parse(words)?;
    draft.fetches(Fetch::Fixed);
    draft.option_files(&parsed)
}

/// The folder into which `git clone URL` goes.
pub fn folder_of_url(url: &Word) -> Option<String> {
    let text = url.value.as_deref().unwrap_or(&url.raw).trim_matches(['"', '\'']).trim_end_matches('/');
    let name = text.strip_suffix(".git").unwrap_or(text).rsplit(['/', ':']).next()?;
    let plain = !name.is_empty() && !name.contains(['$', '`', '{', ')']);
    (plain && parent(text).is_some()).then(|| name.to_owned())
}
