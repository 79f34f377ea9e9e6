//! Accounts: who a USER is, as a number and with a home.
//!
//! Owns: reading `useradd`, `adduser` and `usermod`, and the accounts that official images are documented to have. Never does:
//! take a default for a fact: without `-u` the number is not known.

use super::run::Run;
use super::state::State;
use crate::ecosystems::{BaseImage, Invocation, User};
use crate::knowledge::Knowledge;

/// A user of the image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Its number, where proven.
    pub uid: Option<u32>,
    /// Its main group's number, where proven.
    pub gid: Option<u32>,
    /// Its home folder, where proven.
    pub home: Option<String>,
}

/// Images that are documented to start as somebody else than root: repository prefix.
const NOT_ROOT: &[&str] = &[
    "jenkins/",
    "jenkinsci/",
    "jupyter/",
    "bitnami/",
    "circleci/",
    "cimg/",
    "gitpod/",
    "selenium/",
    "openshift/",
    "ubi8/nodejs",
    "ubi9/nodejs",
    "ubi8/python",
    "ubi9/python",
    "ubi8/openjdk",
    "ubi9/openjdk",
    "ubi8/ruby",
    "ubi9/ruby",
    "ubi8/php",
    "ubi9/php",
    "ubi8/go-toolset",
    "ubi9/go-toolset",
    "rhel8/nodejs",
    "centos/nodejs",
    "centos/python",
    "centos/ruby",
    "linuxbrew/",
    "homebrew/",
    "apache/airflow",
    "puckel/docker-airflow",
    "heroku/",
    "grafana/",
    "kong",
    "solr",
    "elasticsearch",
    "kibana",
    "logstash",
    "jboss/",
    "keycloak/",
    "ocaml/opam",
    "distroless/",
    "mssql/server",
    "datadog/",
    "apache/nifi",
    "apache/spark",
    "prestosql/",
    "trinodb/",
    "sonarqube",
    "astrocrpublic",
    "astronomer",
    "coder/",
    "codercom/",
    "renovate/",
    "puppeteer/",
];

/// Who an image starts as.
pub fn default_user(image: &BaseImage) -> User {
    let repository = image.repository();
    let not_root = NOT_ROOT.iter().any(|prefix| repository.starts_with(prefix))
        || image.tag().contains("nonroot")
        || image.tag().contains("rootless");
    if not_root { User::Unknown } else { User::Root }
}

/// The work folder that an image starts in, where it is documented.
pub fn default_workdir(image: &BaseImage) -> Knowledge<String> {
    let folder = match image.repository() {
        "golang" => "/go",
        "composer" => "/app",
        "php" => "/var/www/html",
        "alpine" | "debian" | "ubuntu" | "python" | "node" | "ruby" | "rust" | "maven" | "centos" | "fedora"
        | "buildpack-deps" | "eclipse-temurin" | "openjdk" | "amazonlinux" | "rockylinux" | "almalinux" => "/",
        _ => return Knowledge::Unknown,
    };
    Knowledge::Known(folder.to_owned())
}

/// Accounts that an image is documented to have.
pub fn known_accounts(image: &BaseImage) -> Vec<Account> {
    let account = |name: &str, uid, home: &str| {
        vec![Account { name: name.to_owned(), uid: Some(uid), gid: Some(uid), home: Some(home.to_owned()) }]
    };
    match image.repository() {
        "node" => account("node", 1000, "/home/node"),
        "gradle" => account("gradle", 1000, "/home/gradle"),
        "oven/bun" => account("bun", 1000, "/home/bun"),
        "denoland/deno" => account("deno", 1000, "/home/deno"),
        _ => Vec::new(),
    }
}

/// The user that `USER text` names. `fixed`: the text holds no variable.
pub fn resolve(text: &str, fixed: bool, accounts: &[Account]) -> User {
    let (user, group) = text.split_once(':').map_or((text, None), |(user, group)| (user, Some(group)));
    if matches!(user, "root" | "0") {
        return User::Root;
    }
    if user.is_empty() {
        return User::Unknown;
    }
    let number: Option<u32> = user.parse().ok();
    let account = accounts.iter().rev().find(|account| match number {
        Some(number) => account.uid == Some(number),
        None => account.name == user,
    });
    let uid = number.filter(|_| fixed).or_else(|| account.and_then(|account| account.uid));
    let gid = match group {
        Some(group) => group.parse().ok().filter(|_| fixed),
        None => account.and_then(|account| account.gid),
    };
    User::Other { name: number.is_none().then(|| user.to_owned()), uid: uid.into(), gid: gid.into() }
}

/// Whether a RUN names a program that makes accounts: a cheap look before the script is read.
pub fn may_make_accounts(run: &Run<'_>) -> bool {
    let text = run.text();
    text.contains("useradd") || text.contains("adduser") || text.contains("usermod") || text.contains("userdel")
}

/// The accounts that a RUN makes or changes; a change makes what was known of the account unknown.
pub fn made_by(run: &Run<'_>, state: &State) -> Vec<Account> {
    run.commands(state)
        .iter()
        .filter_map(|ran| {
            let account = account(&ran.invocation)?;
            // What may or may not have run proves nothing.
            Some(if ran.conditional { Account { name: account.name, ..Account::default() } } else { account })
        })
        .collect()
}

/// Options of `useradd` and `adduser` that take the next word.
#[rustfmt::skip]
const WITH_VALUE: &[&str] = &[
    "-u", "--uid", "-g", "--gid", "-G", "--groups", "-d", "--home-dir", "--home", "-h", "-s", "--shell", "-c", "--comment",
    "--gecos", "-k", "--skel", "-p", "--password", "-K", "--key", "--ingroup", "-b", "--base-dir", "-e", "-f", "-Z",
];

fn account(invocation: &Invocation) -> Option<Account> {
    // The name is the last word; `adduser NAME GROUP` makes no account.
    let debian = invocation.program == "adduser";
    match invocation.program.as_str() {
        "useradd" | "adduser" => {}
        "usermod" | "userdel" | "deluser" => {
            return Some(Account { name: invocation.arguments.last()?.value.known()?.clone(), ..Account::default() });
        }
        _ => return None,
    }
    let takes_value = |word: &str| WITH_VALUE.contains(&word);
    let mut names = Vec::new();
    let mut fields = (None, None, None);
    let mut arguments = invocation.arguments.iter();
    while let Some(argument) = arguments.next() {
        let word = argument.value.known()?.as_str();
        let (option, inline) = word.split_once('=').map_or((word, None), |(option, value)| (option, Some(value.to_owned())));
        if !word.starts_with('-') {
            names.push(word.to_owned());
            continue;
        }
        let (option, inline) = short_cluster(option, inline);
        let value = match inline {
            Some(value) => Some(value),
            None if takes_value(&option) => {
                let argument = arguments.next();
                // A number that comes out of a variable may be another one in the next build.
                argument.filter(|argument| !argument.raw.contains('$')).and_then(|argument| argument.value.known().cloned())
            }
            None => None,
        };
        match option.as_str() {
            "-u" | "--uid" => fields.0 = value,
            "-g" | "--gid" => fields.1 = value,
            "-d" | "--home-dir" | "--home" | "-h" => fields.2 = value,
            _ => {}
        }
    }
    if debian && names.len() > 1 || names.len() != 1 {
        return None;
    }
    let name = names.pop()?;
    // Debian's `adduser --system` gives /nonexistent (or, in older releases, a folder): no fact.
    let home = fields.2.or_else(|| (invocation.flag(&["--system"]).is_none() || !debian).then(|| format!("/home/{name}")));
    let home = home.filter(|home| home.starts_with('/'));
    let uid = fields.0.and_then(|uid| uid.parse().ok());
    let gid = fields.1.and_then(|gid| gid.parse().ok());
    Some(Account { uid, gid, home, name })
}

/// `-mu 1000` is `-m -u 1000`; `-u1000` is `-u 1000`: the option that matters, with its value where it is attached.
fn short_cluster(option: &str, inline: Option<String>) -> (String, Option<String>) {
    if option.starts_with("--") || option.len() <= 2 {
        return (option.to_owned(), inline);
    }
    let letters = option.trim_start_matches('-');
    match letters.char_indices().find(|(_, c)| "ugdGschkpKbe".contains(*c)) {
        Some((at, c)) => {
            let rest = letters.get(at + c.len_utf8()..).unwrap_or_default();
            (format!("-{c}"), if rest.is_empty() { inline } else { Some(rest.to_owned()) })
        }
        None => (option.to_owned(), inline),
    }
}
