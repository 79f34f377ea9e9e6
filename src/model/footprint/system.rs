//! Programs that set up the system: accounts, packages, services' settings, language runtimes' extensions.
//!
//! Owns: which of them stay within the folders that packages own, and what they touch besides. Never does: start anything.

use super::draft::{Draft, Outcome, Word};
use super::options::Options;
use super::{Area, Fetch, managers};

/// Programs that read and write what packages own and nothing else, whatever stands behind them.
#[rustfmt::skip]
const OF_THE_SYSTEM: &[&str] = &[
    "update-alternatives", "alternatives", "ldconfig", "locale-gen", "localedef", "update-locale", "dpkg-reconfigure", "apt-mark",
    "apt-cache", "apt-config", "dpkg-query", "dpkg-divert", "dpkg-statoverride", "dpkg-architecture", "debconf-set-selections",
    "update-mime-database", "fc-cache", "mandb", "groupadd", "addgroup", "groupmod",
    "groupdel", "delgroup", "gpasswd", "passwd", "chpasswd", "chsh", "chage", "pwconv", "vipw", "a2enmod", "a2dismod", "a2ensite",
    "a2dissite", "a2enconf", "a2disconf", "phpenmod", "phpdismod", "docker-php-ext-enable", "update-rc.d", "chkconfig",
    "yum-config-manager", "subscription-manager", "crb", "needs-restarting", "rpmkeys",
    "setup-timezone", "newaliases", "postconf", "update-java-alternatives", "update-initramfs", "pam-auth-update",
    "texhash", "mktexlsr", "update-desktop-database", "glib-compile-schemas", "gdk-pixbuf-query-loaders",
    "lsb_release", "lscpu", "dpkg-deb", "rpmdb",
];

/// The command, if it is one of these.
pub fn command(draft: &mut Draft<'_>, program: &str, words: &[Word]) -> Option<Outcome> {
    let known: fn(&mut Draft<'_>, &[Word]) -> Outcome = match program {
        "update-ca-certificates" | "update-ca-trust" => certificates,
        "add-apt-repository" | "apt-add-repository" => repository,
        "ssh-keygen" => key,
        "file" | "ldd" => |draft, words| looks(draft, words),
        "dpkg" => dpkg,
        "rpm" => rpm,
        "apt-key" => apt_key,
        "useradd" | "adduser" => new_user,
        "usermod" => change_user,
        "userdel" | "deluser" => remove_user,
        "docker-php-ext-install" | "docker-php-ext-configure" => php_extension,
        "pecl" | "pear" | "install-php-extensions" => fetching_extension,
        "corepack" => corepack,
        "rustup" => rustup,
        "gpg" | "gpg2" | "gpgv" | "gpgconf" | "dirmngr" => gpg,
        "openssl" => openssl,
        "venv" | "virtualenv" => environment,
        "spacy" | "nltk.downloader" | "ensurepip" | "playwright" => data,
        "crontab" => crontab,
        "systemctl" if matches!(words.first().map(Word::text), Some("enable" | "disable" | "mask" | "set-default")) => {
            |draft, words| own(draft, words)
        }
        _ if draft.sight.ran.invocation.is("python") => python,
        _ if OF_THE_SYSTEM.contains(&program) => |draft, words| own(draft, words),
        _ => return None,
    };
    Some(known(draft, words))
}

/// Whatever file it is told of it reads as well.
fn own(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    draft.writes_system();
    for word in words.iter().filter(|word| word.text().contains('/') && !word.text().starts_with('-')) {
        let places = draft.places(word)?;
        draft.reads(places);
    }
    Ok(())
}

fn looks(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    draft.reads_system();
    words.iter().filter(|word| !word.text().starts_with('-')).try_for_each(|word| draft.read(word))
}

fn certificates(draft: &mut Draft<'_>, _: &[Word]) -> Outcome {
    draft.writes_system();
    draft.reads([Area::Below("/usr/local/share/ca-certificates".to_owned())]);
    Ok(())
}

fn repository(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    draft.fetches(Fetch::Fixed);
    draft.reads_tools();
    own(draft, &words.iter().filter(|word| word.text().starts_with('/')).cloned().collect::<Vec<_>>())
}

fn key(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    draft.reads_system();
    let parsed = Options { short: "qAyBlt:b:N:f:C:m:F:R:H", long: "" }.parse(words)?;
    match (parsed.value(&["-f"]), parsed.has(&["-A"])) {
        (Some(file), _) => {
            draft.change(file)?;
            draft.write(&Word::known(&format!("{}.pub", file.text())))
        }
        (None, true) => {
            draft.writes_system();
            Ok(())
        }
        (None, false) => match draft.below_home(".ssh") {
            Some(folder) => draft.change_below(&Word::known(&folder)),
            None => Err("the user's home folder is not known".to_owned()),
        },
    }
}

fn dpkg(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    draft.reads_tools();
    draft.writes_system();
    let has = |names: &[&str]| words.iter().any(|word| names.contains(&word.text()));
    if has(&["-x", "-X", "--extract", "--root", "--instdir", "-b", "--build", "-e"])
        || words.iter().any(|word| word.text().contains("dir="))
    {
        return Err("where it writes is not known".to_owned());
    }
    for word in words.iter().filter(|word| !word.text().starts_with('-')) {
        let installs = has(&["-i", "--install", "--unpack"]) || words.iter().any(|word| word.text().starts_with("-i"));
        if installs || word.text().contains('/') {
            draft.read_below(word)?;
        }
    }
    Ok(())
}

fn rpm(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    draft.reads_tools();
    draft.writes_system();
    for word in words.iter().filter(|word| !word.text().starts_with('-')) {
        let text = word.value.as_deref().unwrap_or(&word.raw).trim_matches(['"', '\'']);
        if text.contains("://") {
            let fixed = super::fixed::is_fixed_url(text) || super::fixed::is_fixed_url(&word.raw);
            draft.fetches(if fixed { Fetch::Fixed } else { Fetch::Mutable(format!("`rpm {text}`, which names no version")) });
        } else if text.ends_with(".rpm") || text.contains('/') {
            draft.read(word)?;
        }
    }
    Ok(())
}

fn apt_key(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    draft.writes_system();
    match words.first().map(Word::text) {
        Some("add") => words.iter().skip(1).try_for_each(|file| draft.read(file)),
        Some("adv") => {
            draft.fetches(Fetch::Fixed);
            Ok(())
        }
        _ => Ok(()),
    }
}

const ACCOUNT: Options = Options {
    short: "mMrUDSHNoqlu:g:G:d:h:s:c:k:p:K:b:e:f:Z:",
    long: "create-home no-create-home system disabled-password disabled-login uid: gid: groups: home-dir: home: shell: comment: gecos: \
           skel: password: key: ingroup: base-dir: user-group no-user-group quiet force-badname no-log-init group non-unique \
           allow-bad-names allow-all-names add-subids-for-system expiredate: inactive: firstuid: lastuid: firstgid: lastgid: conf: \
           comment: selinux-user: allow-badname encrypt-home",
};

fn new_user(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    draft.writes_system();
    let parsed = ACCOUNT.parse(words)?;
    let busybox = parsed.has(&["-D", "-S"]) || parsed.has(&["-H"]);
    let none = parsed.has(&["-M", "-H", "--no-create-home"]);
    // `adduser NAME GROUP` only adds to a group.
    let adds = draft.sight.ran.invocation.program == "adduser" && parsed.operands.len() > 1;
    if none || adds {
        return Ok(());
    }
    let given = match busybox {
        true => parsed.value(&["-h"]),
        false => parsed.value(&["-d", "--home-dir", "--home", "-h"]),
    };
    let home = match (given, parsed.operands.last()) {
        (Some(home), _) => home.clone(),
        (None, Some(name)) if name.value.is_some() => Word::known(&format!("/home/{}", name.text())),
        _ => Word::known("/home/*"),
    };
    draft.make_folders(&home)?;
    draft.write_below(&home)
}

/// Accounts whose home is not below `/home`, in official images.
fn home_of(name: &Word) -> Word {
    match name.value.as_deref() {
        Some("root") => Word::known("/root"),
        Some("www-data") => Word::known("/var/www"),
        Some("nginx" | "apache" | "mysql" | "postgres" | "redis") => Word::known("/var/lib"),
        Some(name) => Word::known(&format!("/home/{name}")),
        None => Word::known("/home/*"),
    }
}

fn change_user(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    draft.writes_system();
    let parsed = Options {
        short: "aoLUmu:g:G:d:s:c:l:p:e:f:",
        long: "append uid: gid: groups: home: shell: comment: login: lock unlock move-home password: non-unique",
    }
    .parse(words)?;
    // With the number, the files in the home folder change their owner.
    if parsed.has(&["-u", "--uid", "-m", "--move-home", "-g", "--gid"]) {
        let home = home_of(&parsed.operands.last().cloned().unwrap_or_default());
        draft.change_below(&home)?;
    }
    match parsed.value(&["-d", "--home"]) {
        Some(home) if parsed.has(&["-m", "--move-home"]) => {
            let home = home.clone();
            draft.write_below(&home)
        }
        _ => Ok(()),
    }
}

fn remove_user(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    draft.writes_system();
    let parsed = Options { short: "rf", long: "remove force remove-home quiet system" }.parse(words)?;
    if parsed.has(&["-r", "--remove", "--remove-home"]) {
        let home = home_of(&parsed.operands.last().cloned().unwrap_or_default());
        draft.write_below(&home)?;
    }
    Ok(())
}

/// Extensions are built from `/usr/src/php`, which comes with the image.
fn php_extension(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    draft.reads_tools();
    draft.uses_folder("/usr/src/php");
    draft.uses_folder("/usr/src/php.tar.xz");
    own(draft, &words.iter().filter(|word| word.text().starts_with('/')).cloned().collect::<Vec<_>>())
}

fn fetching_extension(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    draft.fetches(Fetch::Fixed);
    draft.reads_tools();
    draft.uses_folder("/tmp/pear");
    own(draft, words)
}

fn corepack(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    managers::tools(draft, "npm")?;
    match words.first().map(Word::text) {
        Some("enable" | "disable" | "cache") => Ok(()),
        Some("prepare") if words.iter().any(|word| word.text().contains('@')) => {
            draft.fetches(Fetch::Fixed);
            Ok(())
        }
        _ => {
            draft.fetches(Fetch::Fixed);
            draft.read(&Word::known("package.json"))
        }
    }
}

fn rustup(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    managers::tools(draft, "cargo")?;
    let has = |name: &str| words.iter().any(|word| word.text() == name);
    if has("run") || has("override") || has("--path") || has("link") {
        return Err(String::new());
    }
    draft.fetches(Fetch::Fixed);
    // Which toolchain is meant may be said by a file in a folder above.
    let mut at = draft.path(&draft.here())?;
    loop {
        for name in ["rust-toolchain", "rust-toolchain.toml"] {
            draft.reads([Area::At(format!("{}/{name}", at.trim_end_matches('/')))]);
        }
        match super::draft::parent(&at).filter(|_| at != "/").map(str::to_owned) {
            Some(parent) => at = parent,
            None => return Ok(()),
        }
    }
}

fn gpg(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    draft.reads_system();
    draft.reads_tools();
    if words.iter().any(|word| word.text().starts_with("--recv")) {
        draft.fetches(Fetch::Fixed);
    }
    let home = match draft.sight.at.variable("GNUPGHOME") {
        Some(home) => home.known().cloned(),
        None => draft.below_home(".gnupg"),
    };
    match home {
        Some(home) => draft.change_below(&Word::known(&home))?,
        // A folder that the script has just made.
        None => draft.change_below(&Word::known("/tmp"))?,
    }
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        match word.text() {
            "-o" | "--output" => draft.write(&rest.next().cloned().unwrap_or_default())?,
            "--keyring" | "--primary-keyring" => {
                let ring = rest.next().cloned().unwrap_or_default();
                let bare = ring.text().trim_start_matches("gnupg-ring:").to_owned();
                draft.change(&if ring.value.is_some() { Word::known(&bare) } else { ring })?;
            }
            "--homedir" => draft.change_below(&rest.next().cloned().unwrap_or_default())?,
            "--keyserver" | "--recv-keys" | "--recv-key" | "--keyserver-options" | "--recv" => {
                rest.next();
            }
            text if text.starts_with("--output=") || text.starts_with("--homedir=") => {
                return Err("its options are not all known".to_owned());
            }
            text if text.contains(['/', '.']) => {
                draft.read(word)?;
                // `--dearmor FILE` writes beside it.
                if words.iter().any(|word| word.text() == "--dearmor") {
                    draft.write(&Word::known(&format!("{text}.gpg")))?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn openssl(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    draft.reads_system();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        match word.text() {
            "-out" | "-keyout" | "-CAserial" | "-writerand" => draft.write(&rest.next().cloned().unwrap_or_default())?,
            "-in" | "-key" | "-config" | "-CA" | "-CAkey" | "-extfile" | "-passin" | "-CAfile" => {
                draft.read(&rest.next().cloned().unwrap_or_default())?;
            }
            "-CAcreateserial" => return Err("it writes beside another file".to_owned()),
            "-subj" | "-addext" | "-days" | "-newkey" => {
                rest.next();
            }
            text if text.starts_with("file:") => return Err("it reads a file that it names".to_owned()),
            text if text.contains(['/', '.']) && !text.starts_with('-') => draft.read(word)?,
            _ => {}
        }
    }
    Ok(())
}

/// `python -m venv DIR`
fn environment(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    draft.reads_system();
    draft.reads_tools();
    let parsed = Options {
        short: "p:qv",
        long: "system-site-packages symlinks copies clear upgrade without-pip prompt: upgrade-deps python: no-download always-copy \
               no-site-packages quiet no-setuptools no-wheel no-pip pip: setuptools: download seeder: creator: relocatable verbose",
    }
    .parse(words)?;
    draft.fetches(Fetch::Fixed);
    for folder in &parsed.operands {
        draft.make_folders(folder)?;
        draft.change_below(folder)?;
    }
    Ok(())
}

/// Only what asks of Python itself.
fn python(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    draft.reads_system();
    match words {
        [only] if matches!(only.text(), "--version" | "-V" | "-VV") => Ok(()),
        _ => Err(match words.first().filter(|word| word.text().ends_with(".py")) {
            Some(script) => format!("{} is a Python program", script.text()),
            None => String::new(),
        }),
    }
}

/// What Python packages fetch for themselves.
fn data(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    let program = draft.sight.ran.invocation.program.as_str();
    let fetches = match words.first().map(Word::text) {
        Some("download") => program == "spacy",
        Some("install" | "install-deps") => program == "playwright",
        _ => matches!(program, "nltk.downloader" | "ensurepip"),
    };
    if !fetches {
        return Err(String::new());
    }
    managers::tools(draft, "pip")?;
    draft.fetches(Fetch::Fixed);
    if let Some(folder) = draft.below_home("nltk_data") {
        draft.uses_folder(&folder);
    }
    match words.iter().position(|word| word.text() == "-d").and_then(|at| words.get(at + 1)) {
        Some(folder) => draft.change_below(folder),
        None => Ok(()),
    }
}

fn crontab(draft: &mut Draft<'_>, words: &[Word]) -> Outcome {
    draft.writes_system();
    let parsed = Options { short: "u:lr", long: "" }.parse(words)?;
    parsed.operands.iter().try_for_each(|file| draft.read(file))
}
