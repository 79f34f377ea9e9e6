//! A repository's build files, read once for all of its Dockerfiles.
//!
//! Owns: which files are read, and what they say of a Dockerfile together. Never does: scan above the repository.

use super::bake::{Targets, is_bake};
use super::claim::{Claim, folder_of, name_of};
use super::commands::{Base, builds};
use super::compose::{Services, is_compose};
use super::evidence::{Evidence, Guess, looks_like_dockerfile, shown};
use super::workflows::{is_pipeline, is_workflow, pipeline, workflow};
use super::{Context, FoundBy, Located, Sharing};
use crate::context::root::{Root, joined};
use crate::context::{Kind, View};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Build files beyond are not read.
const MOST_FILES: usize = 2_000;

/// Without git's list of files the folder is walked, as deep as this.
const DEEPEST: usize = 4;

/// And through no more folders than this.
const MOST_FOLDERS: usize = 5_000;

/// Folders that a walk does not look into: what is in them is not the repository's own.
const NOT_OWN: [&str; 9] = [".git", ".hg", ".svn", ".venv", "node_modules", "site-packages", "target", "vendor", "venv"];

/// Folders whose scripts build.
const SCRIPTS: [&str; 12] =
    [".ci", ".circleci", ".github", "bin", "build", "ci", "deploy", "docker", "hack", "make", "scripts", "tools"];

/// A folder with a `.git`, or the folder of a Dockerfile that lies in none.
#[derive(Debug)]
pub(super) struct Repository {
    path: PathBuf,
    root: Arc<Root>,
    evidence: Evidence,
    claims: OnceLock<HashMap<String, Vec<Claim>>>,
    files: OnceLock<Vec<String>>,
    located: OnceLock<Vec<(PathBuf, Context)>>,
    sharing: Mutex<HashMap<PathBuf, Arc<[Sharing]>>>,
}

impl Repository {
    pub(super) fn open(path: &Path, is_repository: bool) -> Self {
        let root = Arc::new(Root::on_disk(path));
        Self {
            path: path.to_owned(),
            evidence: Evidence::new(View::unfiltered(Arc::clone(&root)), is_repository),
            root,
            claims: OnceLock::new(),
            files: OnceLock::new(),
            located: OnceLock::new(),
            sharing: Mutex::default(),
        }
    }

    /// What is known of a Dockerfile, named from the root. With an explicit context only its targets are looked up.
    pub(super) fn locate(&self, dockerfile: &str, explicit: Option<&Path>, sources: &[String]) -> Located {
        let claims = self.claims().get(dockerfile).map(Vec::as_slice).unwrap_or_default();
        let targets: BTreeSet<String> = claims.iter().filter_map(|claim| claim.target.clone()).collect();
        let context = match explicit {
            Some(root) => Context::Known { root: root.to_owned(), found_by: FoundBy::Option },
            None => self.context(dockerfile, claims, sources),
        };
        let fresh: BTreeSet<&String> = claims.iter().flat_map(|claim| &claim.fresh).collect();
        Located {
            context,
            targets: targets.into_iter().collect(),
            hides_targets: claims.iter().any(|claim| claim.hides_target),
            fresh_arguments: fresh.into_iter().cloned().collect(),
        }
    }

    fn context(&self, dockerfile: &str, claims: &[Claim], sources: &[String]) -> Context {
        let mut named: BTreeMap<&str, &Claim> = BTreeMap::new();
        for claim in claims {
            if let Some(context) = &claim.context {
                named.entry(context).or_insert(claim);
            }
        }
        if named.len() > 1 {
            let fitting = named.iter().filter(|(folder, _)| self.evidence.fits(folder, sources));
            if let [(folder, claim)] = fitting.map(|(folder, claim)| (*folder, *claim)).collect::<Vec<_>>().as_slice() {
                return self.known(folder, FoundBy::from(*claim));
            }
            let says = |(folder, claim): (&&str, &&Claim)| {
                format!("{}:{} says {}", claim.mention.file, claim.mention.line, shown(folder))
            };
            let all: Vec<String> = named.iter().map(says).take(3).collect();
            return Context::Unknown { because: format!("its build context is not clear: {}", all.join(", ")) };
        }
        if let Some((folder, claim)) = named.first_key_value() {
            return self.known(folder, FoundBy::from(*claim));
        }
        match (self.evidence.guess(dockerfile, sources), claims.first()) {
            (Guess::Shown(folder), _) => self.known(&folder, FoundBy::Sources),
            (_, Some(claim)) => {
                let says = match &claim.missing {
                    Some(folder) => format!("takes {} for its build context, which is not there", shown(folder)),
                    None => "names its build context by a variable, or outside the repository".to_owned(),
                };
                Context::Unknown { because: format!("{}:{} {says}", claim.mention.file, claim.mention.line) }
            }
            (Guess::Own(folder), None) => self.known(&folder, FoundBy::OwnFolder),
            (Guess::Open(because), None) => Context::Unknown { because: format!("its build context is not clear: {because}") },
        }
    }

    fn known(&self, folder: &str, found_by: FoundBy) -> Context {
        let root = if folder.is_empty() { self.path.clone() } else { self.path.join(folder) };
        Context::Known { root, found_by }
    }

    /// The Dockerfiles of a context; see [`super::Locator::sharing`].
    pub(super) fn sharing(
        &self,
        root: &Path,
        is_dockerfile: &dyn Fn(&OsStr) -> bool,
        sources: &dyn Fn(&Path) -> Vec<String>,
    ) -> Arc<[Sharing]> {
        if let Some(known) = self.sharing.lock().unwrap_or_else(PoisonError::into_inner).get(root) {
            return Arc::clone(known);
        }
        let located = self.located.get_or_init(|| {
            let files = self.dockerfiles(is_dockerfile).into_iter().map(|file| (self.path.join(&file), file));
            let files = files.filter(|(path, _)| !has_own(path));
            files.map(|(path, file)| (path.clone(), self.locate(&file, None, &sources(&path)).context)).collect()
        });
        let shares = |(path, context): &(PathBuf, Context)| {
            let is_certain = match context {
                Context::Known { root: other, .. } if other == root => true,
                Context::Known { .. } => return None,
                Context::Unknown { .. } => false,
            };
            Some(Sharing { dockerfile: path.clone(), is_certain })
        };
        let found: Arc<[Sharing]> = located.iter().filter_map(shares).collect();
        self.sharing.lock().unwrap_or_else(PoisonError::into_inner).insert(root.to_owned(), Arc::clone(&found));
        found
    }

    /// Every file of the repository that may be a Dockerfile to somebody.
    fn dockerfiles(&self, is_dockerfile: &dyn Fn(&OsStr) -> bool) -> Vec<String> {
        let named = self.claims().keys().filter(|file| self.is_file(file)).cloned();
        let called = self.files().iter().filter(|file| is_dockerfile(OsStr::new(name_of(file)))).cloned();
        let all: BTreeSet<String> = named.chain(called).filter(|file| self.is_file(file)).collect();
        all.into_iter().collect()
    }

    fn is_file(&self, path: &str) -> bool {
        self.root.find(path, true).is_some_and(|(_, kind)| kind == Kind::File)
    }

    /// The repository's files: those that git tracks, and those of the top folder; without git, those that a short walk finds.
    fn files(&self) -> &[String] {
        self.files.get_or_init(|| {
            let tracked = self.root.git().known().map(|git| git.tracked().map(str::to_owned).collect::<Vec<_>>());
            let deepest = if tracked.as_ref().is_some_and(|files| !files.is_empty()) { 0 } else { DEEPEST };
            let mut files = tracked.unwrap_or_default();
            let mut todo = vec![(String::new(), 0)];
            let mut left = MOST_FOLDERS;
            while let Some((folder, depth)) = todo.pop().filter(|_| left > 0) {
                left -= 1;
                for (name, kind) in &self.root.folder(&folder).entries {
                    let path = joined(&folder, name);
                    match kind {
                        Kind::Folder if depth < deepest && !NOT_OWN.contains(&&**name) => todo.push((path, depth + 1)),
                        Kind::Folder => {}
                        Kind::File | Kind::Link => files.push(path),
                    }
                }
            }
            files.sort_unstable();
            files.dedup();
            files
        })
    }

    fn claims(&self) -> &HashMap<String, Vec<Claim>> {
        self.claims.get_or_init(|| {
            let mut all: HashMap<String, Vec<Claim>> = HashMap::new();
            for claim in self.read_claims().into_iter().map(|claim| self.checked(claim)) {
                all.entry(claim.dockerfile.clone()).or_default().push(claim);
            }
            all
        })
    }

    /// The claim with its paths as they are on disk.
    fn checked(&self, mut claim: Claim) -> Claim {
        if let Some(named) = claim.context.take() {
            match self.root.find(&named, true) {
                Some((folder, Kind::Folder)) => claim.context = Some(folder),
                _ => claim.missing = Some(named),
            }
        }
        claim.dockerfile = self.spelled(&claim.dockerfile).unwrap_or(claim.dockerfile);
        claim
    }

    /// A Dockerfile by the name that it has: the builders take `dockerfile` and `Containerfile` for `Dockerfile`. Links on the way to it
    /// are followed, as they are for the Dockerfiles that are asked for.
    fn spelled(&self, file: &str) -> Option<String> {
        let (folder, name) = (folder_of(file), name_of(file));
        let (folder, _) = self.root.find(folder, true)?;
        let names = if name == "Dockerfile" { vec![name, "dockerfile", "Containerfile"] } else { vec![name] };
        names.into_iter().map(|name| joined(&folder, name)).find(|path| self.is_file(path))
    }

    fn read_claims(&self) -> Vec<Claim> {
        let files = self.files();
        let beside: HashSet<&str> = files.iter().filter(|file| looks_like_dockerfile(file)).map(|file| folder_of(file)).collect();
        let mut claims = Vec::new();
        let mut services = Services::default();
        let mut targets: BTreeMap<&str, Targets> = BTreeMap::new();
        let mut bake: Vec<&String> = Vec::new();
        for file in files.iter().filter(|file| is_build_file(file, &beside)).take(MOST_FILES) {
            if is_bake(file) {
                bake.push(file);
                continue;
            }
            let Some(text) = self.text(file) else { continue };
            match () {
                () if is_compose(file) => services.read(file, &text),
                () if is_workflow(file) => claims.extend(workflow(file, &text)),
                () if is_pipeline(file) => claims.extend(pipeline(file, &text)),
                () => claims.extend(self.script(file, &text)),
            }
        }
        bake.sort_by_key(|file| (file.contains(".override."), file.as_str()));
        for file in bake {
            if let Some(text) = self.text(file) {
                targets.entry(folder_of(file)).or_default().read(file, &text);
            }
        }
        for (folder, targets) in &targets {
            claims.extend(self.settled(&[folder, ""].map(|base| targets.claims(base))));
        }
        claims.extend(services.claims());
        claims
    }

    fn text(&self, file: &str) -> Option<Arc<str>> {
        let (file, kind) = self.root.find(file, true)?;
        if kind == Kind::File { self.root.text(&file).into_known() } else { None }
    }

    fn script(&self, file: &str, text: &str) -> Vec<Claim> {
        let names_engine =
            ["docker", "podman", "buildah", "DOCKER", "CONTAINER", "nerdctl"].iter().any(|word| text.contains(word));
        if !names_engine || !(text.contains("build") || text.contains("bud")) {
            return Vec::new();
        }
        let own = folder_of(file).to_owned();
        // A recipe runs in its makefile's folder, each line anew; a script where it is called from.
        let is_script = file.ends_with(".sh") || file.ends_with(".bash");
        let start = if is_script && !own.is_empty() { vec![own, String::new()] } else { vec![own] };
        let found = builds(file, text, &Base::OneOf(start), is_script);
        let claims = found.into_iter().flat_map(|(base, said, line)| {
            let Base::OneOf(bases) = base else { return Vec::new() };
            let mention = super::claim::Mention { file: file.to_owned(), line };
            let claims: Vec<Vec<Claim>> = bases.iter().map(|base| said.claim(base, &mention).into_iter().collect()).collect();
            self.settled(&claims)
        });
        claims.collect()
    }

    /// The claims that hold if a file's commands run in one of several folders: those of the only folder in which the Dockerfile is.
    fn settled(&self, runs: &[Vec<Claim>]) -> Vec<Claim> {
        let mut found: Vec<&Vec<Claim>> =
            runs.iter().filter(|claims| claims.iter().any(|claim| self.spelled(&claim.dockerfile).is_some())).collect();
        found.dedup();
        if let [only] = found.as_slice() { (*only).clone() } else { Vec::new() }
    }
}

/// Whether a Dockerfile has an ignore file of its own.
fn has_own(dockerfile: &Path) -> bool {
    let name: OsString = [dockerfile.file_name().unwrap_or_default(), OsStr::new(".dockerignore")].into_iter().collect();
    dockerfile.with_file_name(name).is_file()
}

/// Whether a file may say how a Dockerfile is built.
fn is_build_file(file: &str, beside: &HashSet<&str>) -> bool {
    if is_compose(file) || is_bake(file) || is_workflow(file) || is_pipeline(file) {
        return true;
    }
    let name = name_of(file);
    let is_makefile = matches!(name, "Makefile" | "makefile" | "GNUmakefile" | "justfile" | "Justfile") || name.ends_with(".mk");
    let is_script = name.ends_with(".sh") || name.ends_with(".bash");
    let folder = folder_of(file);
    let top = folder.split('/').next().unwrap_or_default();
    let is_near = folder.is_empty() || beside.contains(folder) || (SCRIPTS.contains(&top) && folder.matches('/').count() < 3);
    (is_makefile || is_script) && is_near
}
