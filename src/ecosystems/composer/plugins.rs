//! Composer's plugins: what they read of the project, and where they put packages.
//!
//! Owns: the plugins that matter, by name. Never does: run one, or trust one that it does not know: that is a doubt.
//!
//! A plugin's listeners run with `--no-scripts` too. Those that write at the end of an install do it again in the second half.
//!
//! From: the plugins' read-mes and their `getSubscribedEvents`.

use super::manifests::{Install, Manifest};
use crate::ecosystems::{Entangled, Found, wildcard};
use serde_json::Value;

/// Write below vendor/ alone, or do at the end of each install all that they do.
#[rustfmt::skip] // A paragraph, not a column.
const CONTAINED: &[&str] = &[
    "symfony/runtime", "php-http/discovery", "phpstan/extension-installer", "dealerdirect/phpcodesniffer-composer-installer",
    "pestphp/pest-plugin", "composer/package-versions-deprecated", "ocramius/package-versions", "ergebnis/composer-normalize",
    "hirak/prestissimo", "symfony/thanks", "yiisoft/yii2-composer", "craftcms/plugin-installer",
    "drupal/core-project-message", "drupal/core-vendor-hardening", "infection/extension-installer", "cakephp/plugin-installer",
];

/// Types of packages that are installed to vendor/ without a plugin's doing.
#[rustfmt::skip] // A paragraph, not a column.
const TO_VENDOR: &[&str] = &[
    "library", "metapackage", "composer-plugin", "composer-installer", "project", "symfony-bundle", "symfony-bridge",
    "symfony-mailer-bridge", "phpcodesniffer-standard", "phpstan-extension", "psalm-plugin", "symfony-recipe",
];

/// Whether a package of this type is a plugin.
pub(super) fn is_type(kind: &str) -> bool {
    matches!(kind, "composer-plugin" | "composer-installer")
}

/// Takes over what the install's plugins read and write.
///
/// # Errors
/// What one of them needs of the source.
pub(super) fn examine(install: &mut Install) -> Result<(), Entangled> {
    for name in active(install) {
        match name.as_str() {
            "symfony/flex" => flex(install)?,
            "composer/installers" | "oomphinc/composer-installers-extender" => installer_paths(install),
            "roots/wordpress-core-installer" | "johnpbloch/wordpress-core-installer" => wordpress(install),
            "cweagans/composer-patches" => patches(install)?,
            "wikimedia/composer-merge-plugin" => merged(install)?,
            "drupal/core-composer-scaffold" => scaffold(install),
            "bamarni/composer-bin-plugin" => {
                let keys = ["extra", "bamarni-bin", "forward-command"];
                if install.root.at(&keys).and_then(Value::as_bool) == Some(true) {
                    let because = format!("{}: {name} installs what vendor-bin/ names", install.root.place("forward-command"));
                    return Err(Entangled::NeedsSource { because });
                }
            }
            known if CONTAINED.contains(&known) => {}
            unknown => {
                let doubt = format!("{}: the plugin {unknown} runs before the source is there", install.place_of(unknown));
                install.found.doubt.get_or_insert(doubt);
                install.needs_second_half = true;
            }
        }
    }
    Ok(())
}

/// The plugins that will run: those that are locked, or (without a lock) allowed, unless composer.json forbids them.
fn active(install: &Install) -> Vec<String> {
    let allowed = install.root.at(&["config", "allow-plugins"]);
    let forbidden = |name: &str| match allowed {
        Some(Value::Bool(all)) => !all,
        Some(Value::Object(map)) => map.get(name).and_then(Value::as_bool) == Some(false),
        _ => false,
    };
    let text = |package: &Value, key: &str| package.get(key).and_then(Value::as_str).map(str::to_owned);
    let names: Vec<String> = if install.is_locked() {
        let plugins = install.packages().filter(|package| text(package, "type").is_some_and(|kind| is_type(&kind)));
        plugins.filter_map(|package| text(package, "name")).collect()
    } else {
        match allowed {
            Some(Value::Object(map)) => map.keys().filter(|name| !name.contains('*')).cloned().collect(),
            Some(Value::Bool(true)) => vec!["that allow-plugins lets in".to_owned()],
            _ => Vec::new(),
        }
    };
    names.into_iter().filter(|name| !forbidden(name)).collect()
}

/// Flex: recipes of packages that symfony.lock does not name write into the project when the package is installed.
fn flex(install: &mut Install) -> Result<(), Entangled> {
    // It makes `.env` from `.env.dist`, and writes assets of packages into what the node packages and import maps are listed in.
    let written = [".env.dist", "package.json", "importmap.php"].map(|name| install.path(name));
    install.needs_second_half |= written.iter().any(|path| install.project.look(path) == Found::File);
    let path = install.path("symfony.lock");
    if !install.is_locked() || install.project.look(&path) != Found::File {
        let missing = if install.is_locked() { "symfony.lock" } else { "composer.lock" };
        let because = format!("without {missing}, symfony/flex writes recipes into the project when it installs a package");
        return Err(Entangled::NeedsSource { because });
    }
    install.found.files.push(path.clone());
    let bundles = install.packages().filter(|package| package.get("type").and_then(Value::as_str) == Some("symfony-bundle"));
    let bundles: Vec<String> = bundles.filter_map(|package| Some(package.get("name")?.as_str()?.to_owned())).collect();
    let Ok(Some(lock)) = Manifest::read(&path, install.project) else {
        let doubt = "symfony.lock can't be read: symfony/flex registers bundles that it does not name".to_owned();
        install.found.doubt.get_or_insert(doubt);
        return Ok(());
    };
    // A bundle is written to config/bundles.php even where it has no recipe.
    if let Some(bundle) = bundles.iter().find(|bundle| lock.json.get(bundle.as_str()).is_none()) {
        let because = format!("{}: symfony/flex registers {bundle}, which symfony.lock does not name", install.place_of(bundle));
        return Err(Entangled::NeedsSource { because });
    }
    Ok(())
}

/// `extra.installer-paths`: packages of some types go to folders of the project.
fn installer_paths(install: &mut Install) {
    let paths = install.root.at(&["extra", "installer-paths"]).and_then(Value::as_object).cloned().unwrap_or_default();
    let folders = paths.keys().map(|path| {
        let fixed = path.split("{$").next().unwrap_or_default();
        // `web/sites/{$name}-x`: what comes before the last slash is certain.
        if fixed.len() < path.len() { fixed.rsplit_once('/').map_or("", |(folder, _)| folder) } else { fixed }
    });
    let folders: Vec<String> = folders.filter(|folder| !folder.is_empty()).map(|folder| install.path(folder)).collect();
    let text = |package: &Value, key: &str| package.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let covered = |name: &str, kind: &str| {
        let vendor = name.split('/').next().unwrap_or_default();
        let rules = paths.values().filter_map(Value::as_array).flatten().filter_map(Value::as_str);
        let mut rules = rules.map(|rule| rule.trim());
        rules.any(|rule| rule == name || rule.strip_prefix("type:") == Some(kind) || rule.strip_prefix("vendor:") == Some(vendor))
    };
    let elsewhere = install.packages().map(|package| (text(package, "name"), text(package, "type")));
    // Types of no framework have no dash: `library`, `project`.
    let doubt = elsewhere
        .filter(|(name, kind)| {
            kind.contains('-') && !TO_VENDOR.contains(&kind.as_str()) && !kind.starts_with("symfony-") && !covered(name, kind)
        })
        .map(|(name, kind)| {
            format!("{}: composer/installers may put {name}, a {kind}, into a folder of the project", install.place_of(&name))
        })
        .next();
    if let Some(doubt) = doubt {
        install.found.doubt.get_or_insert(doubt);
    }
    install.found.makes.extend(folders);
}

/// `extra.wordpress-install-dir`: where WordPress itself goes.
fn wordpress(install: &mut Install) {
    let folders: Vec<String> = match install.root.at(&["extra", "wordpress-install-dir"]) {
        Some(Value::String(folder)) => vec![folder.clone()],
        Some(Value::Object(map)) => map.values().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => vec!["wordpress".to_owned()],
    };
    let folders: Vec<String> = folders.iter().map(|folder| install.path(folder)).collect();
    install.found.makes.extend(folders);
}

/// Patches of packages, in composer.json itself or in a file that it names.
fn patches(install: &mut Install) -> Result<(), Entangled> {
    let mut lists: Vec<Value> = install.root.at(&["extra", "patches"]).cloned().into_iter().collect();
    let own = ["patches.json", "patches.lock.json"].map(str::to_owned).into_iter();
    let own: Vec<String> = own.filter(|name| install.project.look(&install.path(name)) == Found::File).collect();
    let keys = [["extra", "patches-file"].as_slice(), &["extra", "composer-patches", "patches-file"]];
    let named = keys.iter().filter_map(|keys| install.root.at(keys)?.as_str()).map(str::to_owned);
    for name in named.chain(own).collect::<Vec<_>>() {
        if name.contains("://") {
            continue;
        }
        install.take(&name, "the list of patches")?;
        let list = Manifest::read(&install.path(&name), install.project)?;
        lists.extend(list.and_then(|list| list.at(&["patches"]).cloned()));
    }
    let mut texts = Vec::new();
    lists.iter().for_each(|list| strings(list, &mut texts));
    texts.retain(|text| [".patch", ".diff", ".txt"].iter().any(|ending| text.ends_with(ending)) && !text.contains("://"));
    for patch in texts {
        let why = format!("{}: the patch", install.root.place(&patch));
        install.take(&patch, &why)?;
    }
    Ok(())
}

/// Every text below a value.
fn strings(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(list) => list.iter().for_each(|value| strings(value, found)),
        Value::Object(map) => map.values().for_each(|value| strings(value, found)),
        _ => {}
    }
}

/// Other composer.json files that are merged into this one.
fn merged(install: &mut Install) -> Result<(), Entangled> {
    for kind in ["include", "require"] {
        let Some(value) = install.root.at(&["extra", "merge-plugin", kind]) else { continue };
        let mut patterns = Vec::new();
        strings(value, &mut patterns);
        for pattern in patterns {
            if pattern.contains(['{', '$']) {
                let because = format!("{}: what {pattern} merges can't be told", install.root.place(&pattern));
                return Err(Entangled::NeedsSource { because });
            }
            for path in wildcard::expand(&install.path(&pattern), install.project) {
                let Some(manifest) = Manifest::read(&path, install.project)? else { continue };
                if let Some(key) = ["scripts", "repositories"].iter().find(|key| manifest.at(&[key]).is_some()) {
                    let because = format!("{}: merged {key} are not followed", manifest.place(key));
                    return Err(Entangled::NeedsSource { because });
                }
                // Its autoload rules join those of the root.
                install.needs_second_half = true;
                install.found.files.push(path);
            }
        }
    }
    Ok(())
}

/// Drupal's scaffold writes files of the site at the end of each install; some are made from files of the project.
fn scaffold(install: &mut Install) {
    install.needs_second_half = true;
    let Some(mapping) = install.root.at(&["extra", "drupal-scaffold", "file-mapping"]) else { return };
    let mut texts = Vec::new();
    strings(mapping, &mut texts);
    let paths = texts.iter().map(|text| install.path(text));
    let files: Vec<String> = paths.filter(|path| install.project.look(path) == Found::File).collect();
    install.found.files.extend(files);
}

#[cfg(test)]
mod tests {
    use crate::ecosystems::composer::Composer;
    use crate::ecosystems::testing::{Files, in_project, invocation};
    use crate::ecosystems::{Dependencies, Ecosystem, Entangled, Part};

    fn with(plugin: &str, more: &str, json: &str, files: &[(&str, &str)]) -> Result<Dependencies, Entangled> {
        let lock = format!("{{\"packages\": [{{\"name\": \"{plugin}\", \"type\": \"composer-plugin\"}}{more}]}}");
        let mut all = vec![("composer.json", json), ("composer.lock", lock.as_str())];
        all.extend(files);
        let command = invocation(&["composer", "install", "--no-dev"]);
        Composer.dependencies(&command, &in_project("composer:2"), &Files::new(&all)).map(Option::unwrap_or_default)
    }

    #[test]
    fn drupals_scaffold_writes_again_below() {
        let json = r#"{"extra": {"drupal-scaffold": {"file-mapping": {"[web-root]/robots.txt": {"append": "assets/robots.txt"}, "[web-root]/x": false}}}}"#;
        let found = with("drupal/core-composer-scaffold", "", json, &[("assets/robots.txt", ""), ("web/index.php", "")]).unwrap();
        assert!(found.files.contains(&"/app/assets/robots.txt".to_owned()) && found.files.len() == 3);
        assert!(matches!(found.part, Part::FirstHalf { .. }));
    }

    #[test]
    fn packages_outside_of_vendor() {
        let wordpress = with("roots/wordpress-core-installer", "", r#"{"extra": {"wordpress-install-dir": "web/wp"}}"#, &[]);
        assert_eq!(wordpress.unwrap().makes, ["/app/vendor", "/app/web/wp"]);
        let theme = r#", {"name": "a/theme", "type": "wordpress-theme"}"#;
        let paths = r#"{"extra": {"installer-paths": {"web/themes/{$name}": ["type:wordpress-theme"]}}}"#;
        let placed = with("composer/installers", theme, paths, &[]).unwrap();
        assert_eq!((placed.makes, placed.doubt), (vec!["/app/vendor".to_owned(), "/app/web/themes".to_owned()], None));
        let elsewhere = with("composer/installers", theme, "{}", &[]).unwrap();
        assert!(elsewhere.doubt.is_some_and(|doubt| doubt.contains("a/theme, a wordpress-theme")));
    }

    #[test]
    fn an_install_inside_the_install_is_refused() {
        let json = r#"{"extra": {"bamarni-bin": {"forward-command": true}}}"#;
        assert!(matches!(with("bamarni/composer-bin-plugin", "", json, &[]), Err(Entangled::NeedsSource { .. })));
        assert_eq!(with("bamarni/composer-bin-plugin", "", "{}", &[]).unwrap().part, Part::Whole);
    }
}
