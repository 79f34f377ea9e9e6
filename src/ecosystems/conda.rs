//! conda, mamba and micromamba.
//!
//! Knows: which commands download, where the package cache (`pkgs`) is, and when a mount on it does no harm; what they read of a
//! project is told in `manifests`. Never does: read `.condarc` or lock files; know where a conda is that it did not see coming.
//!
//! `pkgs` below the root prefix holds archives, unpacked packages and repodata; environments lie beside it. Files go from it into
//! an environment as hard links; over the border of a mount all three programs copy instead. With soft links allowed they link,
//! and the links would dangle: refused. So is a word that is not known and could hide that, or `--offline`.
//!
//! A mount makes its folder before the step runs, so the prefix must be there already:
//! - known images bring it, in `/opt/conda`;
//! - an earlier command ran conda's installer with `-p`, and is proven to be of another RUN: the installer stops where the
//!   prefix exists;
//! - micromamba makes its own (`MAMBA_ROOT_PREFIX`, `--root-prefix`), and will not make an environment of a root prefix that
//!   exists: only commands with another environment pass;
//! - `CONDA_PKGS_DIRS` names the folder outright.
//!
//! Where root can't write `pkgs` nothing is kept in it, so other users are refused, but for those whom the image gave the prefix.
//!
//! - Locked: conda's makers say the package cache is not safe for several processes (tracker 13055, 8870; with cache mounts).
//! - By platform: file names hold no platform. Not by base image: packages bring their own libraries.
//! - `clean` with `--tempfiles` also works on environments: not a mere cleanup.
//! - `conda env create` runs pip for a `pip:` section, with pip's own cache: not mounted here.
//!
//! Facts: conda's source (base/context, core/package_cache_data, gateways/disk/test) and manual (`clean`), libmamba's source
//! (api/configuration, core/link), constructor's tracker (804), micromamba's image. Not proven, so refused: the default root
//! prefix of micromamba (it moved), conda in unknown images, conda before 4.4 (soft links were allowed by default up to some
//! 4.x). Not seen: a `.condarc` that is copied in and allows soft links.

mod manifests;

use crate::ecosystems::offline::hiding_word;
use crate::ecosystems::python::{own_folder, word_behind};
use crate::ecosystems::{Activity, CacheFolder, CacheUse, Ecosystem, Invocation, Obstacle, Surroundings, User, Wrapper};
use crate::ecosystems::{Dependencies, Entangled, Project};
use crate::knowledge::Knowledge;

/// conda, mamba and micromamba.
pub struct Conda;

/// Options whose value is the next word.
const WITH_VALUE: &[&str] = &[
    "-c",
    "--channel",
    "--clone",
    "--experimental-solver",
    "-f",
    "--file",
    "-n",
    "--name",
    "-p",
    "--platform",
    "--prefix",
    "-r",
    "--rc-file",
    "--repodata-fn",
    "--root-prefix",
    "--solver",
    "--subdir",
];

/// Images with the root prefix in [`PREFIX`] whose user is root.
const ROOT_IMAGES: &[&str] = &[
    "condaforge/mambaforge",
    "condaforge/miniforge3",
    "continuumio/anaconda",
    "continuumio/anaconda3",
    "continuumio/miniconda",
    "continuumio/miniconda3",
    "devcontainers/anaconda",
    "devcontainers/miniconda",
];
const PREFIX: &str = "/opt/conda";

/// Versions of Miniconda and Anaconda that bring a conda before 4.4.
const OLD: &[&str] = &["1.", "2.", "3.", "4.0.", "4.1.", "4.2.", "4.3.", "4.4.", "5.0."];

impl Ecosystem for Conda {
    fn id(&self) -> &'static str {
        "conda"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["conda", "mamba", "micromamba"]
    }

    fn recognise(&self, invocation: &Invocation) -> Option<Activity> {
        if !self.programs().contains(&invocation.program.as_str()) {
            return None;
        }
        let idle = ["-h", "--help", "-V", "--version", "-d", "--dry-run"];
        let Some((index, subcommand)) = invocation.subcommand(WITH_VALUE).filter(|_| invocation.flag(&idle).is_none()) else {
            return Some(Activity::Other);
        };
        let says_yes = |value: &Knowledge<String>| value.known().is_none_or(|value| !is_no(value));
        let by_variable = |name: &str| matches!(name, "CONDA_OFFLINE" | "MAMBA_OFFLINE");
        let offline = invocation.flag(&["--offline"]).is_some()
            || invocation.variables.iter().any(|(name, value)| by_variable(name) && says_yes(value));
        Some(match (subcommand, word_behind(invocation, index)) {
            ("install" | "create" | "update" | "upgrade", _) | ("env", "create" | "update") if offline => Activity::Offline,
            ("install" | "create" | "update" | "upgrade", _) | ("env", "create" | "update") => {
                Activity::Install { needs_index: false }
            }
            ("clean", _) if cleans_cache_only(invocation) => Activity::Clean,
            _ => Activity::Other,
        })
    }

    fn cache(&self, invocation: &Invocation, at: &Surroundings) -> Result<CacheUse, Obstacle> {
        if let Some(word) = hiding_word(invocation, WITH_VALUE) {
            let because = format!("{word} is not known and may hide `--offline` or soft links");
            return Err(Obstacle::Unsafe { because });
        }
        let says_yes = |name: &&str| at.variable(name).is_some_and(|value| value.known().is_none_or(|value| !is_no(value)));
        if let Some(name) = ["CONDA_OFFLINE", "MAMBA_OFFLINE"].iter().find(|name| says_yes(name)) {
            return Err(Obstacle::KeepsNothing { because: format!("{name}: nothing is downloaded") });
        }
        links_are_hard(invocation, at)?;
        let target = match at.non_empty("CONDA_PKGS_DIRS") {
            // conda splits it at commas, mamba at colons; `--no-env` makes micromamba pass over it.
            Some(Knowledge::Known(folders)) if folders.contains([',', ':']) || invocation.flag(&["--no-env"]).is_some() => {
                return Err(unknown("CONDA_PKGS_DIRS"));
            }
            Some(folder) => own_folder(&folder.map(str::to_owned), "CONDA_PKGS_DIRS", at)?,
            None if configures(at.earlier, &["pkgs_dirs"]) => return Err(unknown("`conda config … pkgs_dirs`")),
            None => format!("{}/pkgs", root_prefix(invocation, at)?),
        };
        for prefix in at.earlier.iter().filter(|earlier| !is_of_another_run(earlier, invocation)).filter_map(installer) {
            let prefix = prefix.map(|prefix| at.absolute(&prefix));
            if !matches!(prefix, Knowledge::Known(Knowledge::Known(prefix)) if !target.starts_with(&format!("{prefix}/"))) {
                return Err(Obstacle::Unsafe {
                    because: "conda's installer may run in the same step, and stops where a mount has made its folder".to_owned(),
                });
            }
        }
        let folder = CacheFolder::downloads(target).locked().platform_specific();
        let only_fetches = invocation.flag(&["--download-only"]).is_some();
        Ok(CacheUse { mounts: vec![if only_fetches { folder.needed_later() } else { folder }], ..CacheUse::default() })
    }

    fn dependencies(
        &self,
        invocation: &Invocation,
        at: &Surroundings,
        project: &dyn Project,
    ) -> Result<Option<Dependencies>, Entangled> {
        manifests::dependencies(invocation, at, project)
    }
}

fn unknown(because: &str) -> Obstacle {
    Obstacle::UnknownFolder { because: because.to_owned() }
}

fn is_no(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "" | "0" | "false" | "no" | "off" | "f" | "n")
}

/// Whether `clean` leaves environments alone: no `--tempfiles`, whose short form may stand in a cluster (`-tipsy` has none).
fn cleans_cache_only(invocation: &Invocation) -> bool {
    !invocation.has_unknown_argument()
        && invocation.known_arguments().all(|(_, value)| match value.strip_prefix('-') {
            Some(long) if long.starts_with('-') => !long.starts_with("-temp"),
            Some(cluster) => !cluster.contains(['c', 'd', 'h']),
            None => value == "clean",
        })
}

/// Refuses soft links into the cache.
fn links_are_hard(invocation: &Invocation, at: &Surroundings) -> Result<(), Obstacle> {
    const VARIABLES: &[&str] =
        &["CONDA_ALLOW_SOFTLINKS", "CONDA_ALWAYS_SOFTLINK", "MAMBA_ALLOW_SOFTLINKS", "MAMBA_ALWAYS_SOFTLINK"];
    let by_variable = |name: &&&str| at.variable(name).is_some_and(|value| value.known().is_none_or(|value| !is_no(value)));
    let by_flag = ["--allow-softlinks", "--always-softlink"];
    let is_old = |name: &str| OLD.iter().any(|version| name.starts_with(version));
    // `Miniconda3-4.3.30-Linux-x86_64.sh`, in the address that it was fetched from, too.
    let old_installer =
        |word: &str| word.split("conda").skip(1).filter_map(|rest| rest.split_once('-')).any(|(_, version)| is_old(version));
    let words = at
        .earlier
        .iter()
        .flat_map(|earlier| std::iter::once(&earlier.path).chain(earlier.arguments.iter().map(|word| &word.raw)));
    let old =
        ROOT_IMAGES.contains(&at.base.repository()) && is_old(at.base.tag()) || words.into_iter().any(|word| old_installer(word));
    let by = if let Some(name) = VARIABLES.iter().find(by_variable) {
        name
    } else if invocation.flag(&by_flag).is_some() {
        "a flag"
    } else if configures(at.earlier, &["allow_softlinks", "always_softlink"]) {
        "`conda config`"
    } else if old {
        "conda before 4.4, by default"
    } else {
        return Ok(());
    };
    Err(Obstacle::Unsafe { because: format!("soft links are allowed by {by}, and would lead into the cache") })
}

/// Whether an earlier `conda config` names one of these keys, to whatever end.
fn configures(earlier: &[Invocation], keys: &[&str]) -> bool {
    let is_config = |command: &&Invocation| {
        Conda.programs().contains(&command.program.as_str())
            && matches!(command.subcommand(WITH_VALUE), Some((_, "config")))
            && command.flag(&["--show", "--get"]).is_none()
    };
    earlier.iter().filter(is_config).any(|command| command.flag(keys).is_some())
}

/// The folder that holds `pkgs`, and is proven to be there before the step.
fn root_prefix(invocation: &Invocation, at: &Surroundings) -> Result<String, Obstacle> {
    let image = at.base.repository();
    let owners: &[&str] = match image {
        "mambaorg/micromamba" | "mamba-org/micromamba" => &["mambauser"],
        _ if image.starts_with("jupyter/") => &["jovyan"],
        _ => &[],
    };
    // The image's own user is not root: a plain FROM leaves us with them, and a folder of root's would keep nothing.
    let may_write = match &at.user {
        User::Root => owners.is_empty(),
        User::Other { name: Some(name), .. } => owners.contains(&name.as_str()),
        User::Other { name: None, uid, .. } => !owners.is_empty() && matches!(uid.known(), Some(1000 | 57_439)),
        User::Unknown => false,
    };
    if !may_write {
        return Err(unknown("it is another one where this user may not write to the root prefix"));
    }
    let brought = !owners.is_empty() || ROOT_IMAGES.contains(&image);
    let own = invocation.option(&["-r", "--root-prefix"]).or_else(|| at.variable("MAMBA_ROOT_PREFIX").cloned());
    if invocation.program == "micromamba" || own.is_some() && invocation.program == "mamba" {
        let root = match own {
            Some(root) => own_folder(&root, "the root prefix", at)?,
            None if image.ends_with("/micromamba") => PREFIX.to_owned(),
            None => return Err(unknown("MAMBA_ROOT_PREFIX is not set")),
        };
        return if brought && root == PREFIX || works_elsewhere(invocation, &root, at) {
            Ok(root)
        } else {
            Err(Obstacle::Unsafe { because: format!("the environment may be {root} itself, which a mount would make too early") })
        };
    }
    let mut roots: Vec<String> = if brought { vec![PREFIX.to_owned()] } else { Vec::new() };
    for prefix in at.earlier.iter().filter_map(installer) {
        let prefix = prefix.into_known().and_then(|prefix| at.absolute(&prefix).into_known());
        roots.push(prefix.ok_or_else(|| unknown("where conda was installed"))?);
    }
    roots.dedup();
    match roots.as_slice() {
        [root] if !invocation.path.starts_with('/') || invocation.path.starts_with(&format!("{root}/")) => Ok(root.clone()),
        _ => Err(unknown("where conda was installed, and when")),
    }
}

/// Whether micromamba works on an environment that is not, and is not above, this root prefix.
fn works_elsewhere(invocation: &Invocation, root: &str, at: &Surroundings) -> bool {
    match (invocation.option(&["-n", "--name"]), invocation.option(&["-p", "--prefix"])) {
        (Some(Knowledge::Known(name)), None) => name != "base" && !name.contains('/'),
        (None, Some(Knowledge::Known(prefix))) => {
            at.absolute(&prefix).known().is_some_and(|prefix| !format!("{root}/").starts_with(&format!("{prefix}/")))
        }
        _ => false,
    }
}

/// The prefix that the command makes, if it runs conda's installer: a `.sh` with `-p PREFIX` or `-bfp PREFIX`; unknown where a
/// script by such a name says no prefix. Sourcing `conda.sh` is none.
fn installer(command: &Invocation) -> Option<Knowledge<String>> {
    let words = || std::iter::once(command.path.as_str()).chain(command.arguments.iter().map(|word| word.raw.as_str()));
    let is_cluster = |value: &str| value.starts_with('-') && !value.starts_with("--") && value.ends_with('p');
    let prefix = command.known_arguments().find(|(_, value)| is_cluster(value));
    let prefix = prefix.and_then(|(index, _)| command.arguments.get(index + 1)).map(|prefix| prefix.value.clone());
    let is_script = |word: &str| word.trim_end_matches(['"', '\'']).ends_with(".sh");
    let runs_script = is_script(&command.program)
        || ["ash", "bash", "dash", "ksh", "sh", "zsh"].contains(&command.program.as_str()) && words().any(is_script);
    let by_name = words().filter(|word| is_script(word)).any(|word| {
        let name = word.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        ["conda", "mamba", "miniforge"].iter().any(|part| name.contains(part))
    });
    (runs_script && (by_name || prefix.is_some())).then(|| prefix.unwrap_or(Knowledge::Unknown))
}

/// Whether the earlier command is surely of another RUN: it stands behind this one in its script.
fn is_of_another_run(earlier: &Invocation, invocation: &Invocation) -> bool {
    let nested = [earlier, invocation].iter().any(|command| command.wrappers.contains(&Wrapper::Nested));
    !nested && earlier.span.start > invocation.span.start
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::python::as_root;
    use crate::ecosystems::testing::invocation;
    use crate::ecosystems::{BaseImage, Need, Sharing};

    fn does(words: &[&str]) -> Option<Activity> {
        Conda.recognise(&invocation(words))
    }

    fn on<'a>(image: &str, variables: &[(&str, &str)]) -> Surroundings<'a> {
        Surroundings { base: BaseImage { reference: Knowledge::Known(image.to_owned()) }, ..as_root(variables) }
    }

    fn target(words: &[&str], at: &Surroundings) -> Result<String, Obstacle> {
        Ok(Conda.cache(&invocation(words), at)?.mounts.remove(0).target)
    }

    #[test]
    fn commands_are_told_apart() {
        let install = Some(Activity::Install { needs_index: false });
        for words in [
            &["conda", "install", "-y", "-c", "conda-forge", "numpy"][..],
            &["conda", "env", "create", "-f", "environment.yml"],
            &["mamba", "-n", "base", "update", "--all"],
            &["micromamba", "-r", "/m", "create", "-n", "x"],
        ] {
            assert_eq!(does(words), install, "{words:?}");
        }
        for words in [
            &["conda", "--version"][..],
            &["conda", "install", "--dry-run", "numpy"],
            &["conda", "env", "list"],
            &["conda", "config", "--add", "channels", "conda-forge"],
            &["conda", "clean", "--tempfiles", "/opt/conda"],
            &["conda", "clean", "-ac"],
        ] {
            assert_eq!(does(words), Some(Activity::Other), "{words:?}");
        }
        for words in [&["conda", "clean", "-afy"][..], &["conda", "clean", "-tipsy"], &["micromamba", "clean", "--all", "--yes"]]
        {
            assert_eq!(does(words), Some(Activity::Clean), "{words:?}");
        }
        assert_eq!(does(&["conda", "install", "--offline", "x"]), Some(Activity::Offline));
        assert_eq!(does(&["pip", "install"]), None);
    }

    #[test]
    fn known_images_have_their_prefix() {
        let install = ["conda", "install", "-y", "numpy"];
        assert_eq!(target(&install, &on("continuumio/miniconda3:24.1.2-0", &[])).unwrap(), "/opt/conda/pkgs");
        assert_eq!(
            target(&["/opt/conda/bin/mamba", "install", "x"], &on("condaforge/miniforge3", &[])).unwrap(),
            "/opt/conda/pkgs"
        );
        assert!(matches!(target(&install, &on("debian", &[])), Err(Obstacle::UnknownFolder { .. })));
        assert!(target(&["/x/bin/conda", "install", "y"], &on("continuumio/miniconda3", &[])).is_err());
        assert!(matches!(target(&install, &on("continuumio/miniconda3:4.2.12", &[])), Err(Obstacle::Unsafe { .. })));
        assert_eq!(target(&install, &on("debian", &[("CONDA_PKGS_DIRS", "/pkgs")])).unwrap(), "/pkgs");
        assert!(target(&install, &on("debian", &[("CONDA_PKGS_DIRS", "/a,/b")])).is_err());
        let cache = Conda.cache(&invocation(&install), &on("continuumio/miniconda3", &[])).unwrap();
        let mount = &cache.mounts[0];
        assert_eq!((mount.sharing, mount.keyed_by_platform, mount.need), (Sharing::Locked, false, Need::Never));
    }

    #[test]
    fn users_that_may_not_write_the_prefix_are_refused() {
        let install = ["micromamba", "install", "-y", "-n", "base", "numpy"];
        let as_user = |name: &str, image: &str| {
            let user = User::Other { name: Some(name.to_owned()), uid: Knowledge::Unknown, gid: Knowledge::Unknown };
            target(&install, &Surroundings { user, ..on(image, &[]) })
        };
        assert_eq!(as_user("mambauser", "mambaorg/micromamba:2.1").unwrap(), "/opt/conda/pkgs");
        assert!(as_user("app", "mambaorg/micromamba:2.1").is_err());
        assert!(target(&install, &on("mambaorg/micromamba:2.1", &[])).is_err());
        assert!(target(&["mamba", "install", "x"], &on("quay.io/jupyter/base-notebook", &[])).is_err());
    }

    #[test]
    fn a_prefix_that_the_same_step_may_make_is_refused() {
        let mut install = invocation(&["conda", "install", "-y", "numpy"]);
        install.span = 0..20;
        let mut made = invocation(&["bash", "/tmp/Miniconda3-latest.sh", "-b", "-p", "/opt/miniconda"]);
        made.span = 60..110;
        let earlier = [made.clone()];
        let at = Surroundings { earlier: &earlier, ..on("debian", &[]) };
        assert_eq!(Conda.cache(&install, &at).unwrap().mounts[0].target, "/opt/miniconda/pkgs");
        install.span = 120..140;
        assert!(matches!(Conda.cache(&install, &at), Err(Obstacle::Unsafe { .. })));
        let sourced = [made, invocation(&[".", "/opt/miniconda/etc/profile.d/conda.sh"])];
        install.span = 20..40;
        assert!(Conda.cache(&install, &Surroundings { earlier: &sourced, ..on("debian", &[]) }).is_ok());
        let anywhere = [invocation(&["sh", "miniforge.sh", "-b"])];
        assert!(Conda.cache(&install, &Surroundings { earlier: &anywhere, ..on("debian", &[]) }).is_err());
    }

    #[test]
    fn micromamba_with_its_own_root_passes_only_with_another_environment() {
        let at = on("debian", &[("MAMBA_ROOT_PREFIX", "/m")]);
        assert_eq!(target(&["micromamba", "create", "-n", "x", "numpy"], &at).unwrap(), "/m/pkgs");
        assert_eq!(target(&["micromamba", "create", "-p", "/env", "numpy"], &at).unwrap(), "/m/pkgs");
        for words in [
            &["micromamba", "create", "-n", "base", "numpy"][..],
            &["micromamba", "create", "-p", "/m", "numpy"],
            &["micromamba", "create", "-f", "environment.yml"],
        ] {
            assert!(matches!(target(words, &at), Err(Obstacle::Unsafe { .. })), "{words:?}");
        }
        assert!(target(&["micromamba", "create", "-n", "x"], &on("debian", &[])).is_err());
    }

    #[test]
    fn links_into_the_cache_and_hidden_flags_are_refused() {
        let image = "continuumio/miniconda3";
        let install = ["conda", "install", "x"];
        assert!(matches!(target(&install, &on(image, &[("CONDA_ALLOW_SOFTLINKS", "true")])), Err(Obstacle::Unsafe { .. })));
        assert!(target(&install, &on(image, &[("CONDA_ALLOW_SOFTLINKS", "false")])).is_ok());
        let earlier = [invocation(&["conda", "config", "--set", "allow_softlinks", "True"])];
        assert!(target(&install, &Surroundings { earlier: &earlier, ..on(image, &[]) }).is_err());
        let url = "https://repo.continuum.io/miniconda/Miniconda3-4.3.30-Linux-x86_64.sh";
        let earlier = [invocation(&["wget", url])];
        assert!(matches!(target(&install, &Surroundings { earlier: &earlier, ..on(image, &[]) }), Err(Obstacle::Unsafe { .. })));
        let earlier = [invocation(&["conda", "config", "--add", "pkgs_dirs", "/p"])];
        assert!(target(&install, &Surroundings { earlier: &earlier, ..on(image, &[]) }).is_err());
        assert!(matches!(target(&["conda", "install", "$ARGS"], &on(image, &[])), Err(Obstacle::Unsafe { .. })));
        assert!(target(&["conda", "install", "python=$VERSION"], &on(image, &[])).is_ok());
        assert!(target(&install, &on(image, &[("CONDA_OFFLINE", "1")])).is_err());
    }

    #[test]
    fn packages_that_are_only_fetched_are_needed_later() {
        let cache = Conda.cache(&invocation(&["conda", "install", "--download-only", "x"]), &on("continuumio/miniconda3", &[]));
        assert_eq!(cache.unwrap().mounts[0].need, Need::ByLaterSteps);
    }
}
