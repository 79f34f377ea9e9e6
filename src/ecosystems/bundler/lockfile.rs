//! Whether `bundle install` leaves Gemfile.lock as it is.
//!
//! Bundler writes it again when it lacks the platform of the build, when it was made by Bundler 1, when the Gemfile's gems,
//! versions or Ruby are not what it says, or when checksums are missing (all tried with Bundler 2.3, but for the checksums).
//! `ruby` among the platforms serves every one. Builds run on x86-64 and on ARM, so names of platforms do only together.

use super::gemfile::Reader;

/// Whether it can be proven to stay, byte for byte.
pub(super) fn stays(lock: &str, gemfile: &Reader, on_musl: bool) -> bool {
    let section = |name: &str| -> Option<Vec<&str>> {
        let mut lines = lock.lines().skip_while(|line| *line != name);
        lines.next()?;
        Some(lines.take_while(|line| line.starts_with(' ')).map(str::trim).collect())
    };
    let platforms = section("PLATFORMS").unwrap_or_default();
    let libc = if on_musl { "-musl" } else { "-gnu" };
    let serves = |arch: &str| {
        platforms.iter().any(|platform| platform.strip_prefix(arch).is_some_and(|rest| rest.is_empty() || rest == libc))
    };
    let every = platforms.contains(&"ruby") || serves("x86_64-linux") && serves("aarch64-linux");
    let bundled = section("BUNDLED WITH").unwrap_or_default();
    let by_new = bundled.first().is_some_and(|version| !version.starts_with("1."));
    let complete = section("CHECKSUMS").is_none_or(|sums| sums.iter().all(|sum| sum.contains("sha256=")));
    let dependencies = section("DEPENDENCIES").unwrap_or_default();
    every && by_new && complete && gemfile.names_ruby == section("RUBY VERSION").is_some() && agree(&dependencies, gemfile)
}

/// Whether the lock file's direct dependencies are the Gemfile's.
fn agree(locked: &[&str], gemfile: &Reader) -> bool {
    let name = |line: &str| line.split([' ', '!']).next().unwrap_or_default().to_owned();
    let versions = |line: &str| -> Vec<String> {
        let inner = line.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map_or("", |(inner, _)| inner);
        sorted(inner.split(',').map(normal).filter(|version| !version.is_empty()).collect())
    };
    let here = |gem: &(String, Vec<String>)| {
        let wanted = sorted(gem.1.iter().map(|version| normal(version)).collect());
        locked.iter().any(|line| name(line) == gem.0 && versions(line) == wanted)
    };
    let named = |line: &&str| {
        let name = name(line);
        gemfile.has_computed || gemfile.gems.iter().any(|(gem, _)| *gem == name) || gemfile.maybe.contains(&name)
    };
    gemfile.gems.iter().all(here) && locked.iter().all(named)
}

fn sorted(mut list: Vec<String>) -> Vec<String> {
    list.sort();
    list.dedup();
    list
}

/// `1.2` is `= 1.2`, and `>= 0` is nothing.
fn normal(version: &str) -> String {
    let version = version.trim();
    match version {
        ">= 0" => String::new(),
        _ if version.starts_with(|c: char| c.is_ascii_digit()) => format!("= {version}"),
        _ => {
            let operator: String = version.chars().take_while(|c| "~<>=!".contains(*c)).collect();
            format!("{operator} {}", version.trim_start_matches(['~', '<', '>', '=', '!']).trim()).trim().to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::testing::Files;

    const GEMFILE: &str =
        "source 'https://rubygems.org'\ngem 'rails', '~> 7.0', '>= 7.0.1'\ngem 'rake'\nif ENV['X']\n  gem 'pry'\nend\n";
    const LOCK: &str =
        "GEM\n  specs:\n\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n  rails (~> 7.0, >= 7.0.1)\n  rake\n\nBUNDLED WITH\n   2.3.1\n";

    fn same(gemfile: &str, lock: &str) -> bool {
        let files = Files::new(&[("Gemfile", gemfile)]);
        stays(lock, &Reader::read("/app/Gemfile", "/app", &files).unwrap(), false)
    }

    #[test]
    fn a_lock_file_that_says_it_all_stays() {
        assert!(same(GEMFILE, LOCK));
        assert!(same(GEMFILE, &LOCK.replace("  ruby", "  aarch64-linux\n  x86_64-linux-gnu")));
        assert!(same(&format!("ruby '3.1.2'\n{GEMFILE}"), &format!("{LOCK}\nRUBY VERSION\n   ruby 3.1.2p20\n")));
        assert!(same(GEMFILE, &LOCK.replace("  rake", "  pry\n  rake")), "a gem on a condition may be there");
    }

    #[test]
    fn what_makes_bundler_write_it() {
        for (from, to) in [
            ("  ruby", "  x86_64-linux"),
            ("  ruby", "  arm64-darwin-21"),
            ("2.3.1", "1.17.2"),
            ("  rake", "  rack"),
            ("  rake", "  rake (~> 13.0)"),
            (">= 7.0.1", ">= 7.0.2"),
            ("DEPENDENCIES", "CHECKSUMS\n  rake (1.0)\n\nDEPENDENCIES"),
            ("  rake\n", "  rake\n  gone\n"),
        ] {
            assert!(!same(GEMFILE, &LOCK.replace(from, to)), "{from} {to}");
        }
        assert!(!same(&format!("ruby '3.1.2'\n{GEMFILE}"), LOCK));
    }
}
