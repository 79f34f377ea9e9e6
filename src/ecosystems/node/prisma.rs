//! `prisma generate`: which schema it reads, and where the client goes.
//!
//! Owns: finding the schema as the program does, and refusing what could lead further. Never does: parse more of a schema than
//! its generators.
//!
//! From: Prisma's manual (schema location, generators; versions 2 to 7).

use super::Manifest;
use super::reading::{Reading, is_below, join, needs_source, not_seen};
use crate::ecosystems::{Entangled, Found};

/// Adds the schema. Where there is none, `prisma generate` fails with the source as without it.
pub(crate) fn generates(reading: &mut Reading<'_>, manifest: &Manifest, named: Option<&str>) -> Result<(), Entangled> {
    for folder in ["", ".config/"] {
        for end in ["ts", "js", "mjs", "cjs", "mts", "cts"] {
            let name = if folder.is_empty() { format!("prisma.config.{end}") } else { format!("{folder}prisma.{end}") };
            let config = join(&manifest.folder, &name);
            if reading.is_file(&config) {
                return Err(needs_source(format!("{} is a program, which may read anything", reading.name(&config))));
            }
        }
    }
    let in_manifest = manifest.field("prisma").and_then(|prisma| prisma.get("schema")).and_then(serde_json::Value::as_str);
    let paths: Vec<String> = match named.or(in_manifest) {
        Some(path) => vec![join(&manifest.folder, path)],
        None => ["schema.prisma", "prisma/schema.prisma", "prisma/schema"].map(|path| join(&manifest.folder, path)).into(),
    };
    for path in paths {
        match reading.project().look(&path) {
            Found::File => return schema(reading, &path),
            Found::Folder => {
                let name = reading.name(&path);
                return Err(needs_source(format!("Prisma's schema is split over the files in {name}")));
            }
            Found::Unknown => {
                let name = reading.name(&path);
                return Err(not_seen(format!(
                    "Prisma's schema {name} comes with no copy: it is not in the build context, or the ignore file names it"
                )));
            }
            Found::Nothing => {}
        }
    }
    Ok(())
}

fn schema(reading: &mut Reading<'_>, path: &str) -> Result<(), Entangled> {
    reading.optional(path);
    let text = reading.text(path)?;
    let name = reading.name(path).to_owned();
    let folder = super::reading::parent(path).unwrap_or("/").to_owned();
    let mut in_generator = false;
    for (number, line) in text.lines().enumerate() {
        let line = line.split("//").next().unwrap_or_default().trim();
        if line.starts_with("generator ") {
            in_generator = true;
        } else if line.starts_with('}') {
            in_generator = false;
        }
        let Some((key, value)) = line.split_once('=').filter(|_| in_generator) else { continue };
        let value = value.trim().trim_matches('"');
        let refuse = |why: &str| Err(needs_source(format!("{name}:{}: {why}", number + 1)));
        match key.trim() {
            "provider" if !matches!(value, "prisma-client-js" | "prisma-client") => {
                return refuse(&format!("the generator {value} may read or write anything"));
            }
            "output" if value.starts_with("env(") => return refuse("the generator's output is not known"),
            "output" => {
                let output = join(&folder, value);
                let installed = output.split('/').any(|part| part == "node_modules");
                if !installed && is_below(&output, reading.root()) {
                    reading.answer().makes.push(output);
                }
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::Dependencies;
    use crate::ecosystems::testing::Files;

    const CLIENT: &str = "generator client {\n  provider = \"prisma-client-js\"\n}\n";

    fn run(manifest: &str, more: &[(&str, &str)], named: Option<&str>) -> Result<Dependencies, Entangled> {
        let mut files = vec![("package.json", manifest)];
        files.extend(more);
        let project = Files::new(&files);
        let mut reading = Reading::new(&project, Files::ROOT);
        let manifest = Manifest::at(&reading, Files::ROOT)?;
        generates(&mut reading, &manifest, named)?;
        Ok(reading.finish())
    }

    #[test]
    fn the_schema_is_found_where_prisma_looks() {
        let files = |manifest, place, named| run(manifest, &[(place, CLIENT)], named).unwrap().files;
        assert_eq!(files("{}", "prisma/schema.prisma", None), ["/app/prisma/schema.prisma"]);
        assert_eq!(files(r#"{"prisma": {"schema": "db/s.prisma"}}"#, "db/s.prisma", None), ["/app/db/s.prisma"]);
        assert_eq!(files("{}", "x.prisma", Some("./x.prisma")), ["/app/x.prisma"]);
        assert!(run("{}", &[], None).unwrap().files.is_empty());
    }

    #[test]
    fn generators_and_configs() {
        let output = "generator client {\n  provider = \"prisma-client\"\n  output = \"../src/generated\"\n}\n";
        assert_eq!(run("{}", &[("prisma/schema.prisma", output)], None).unwrap().makes, ["/app/src/generated"]);
        let other = "generator erd {\n  provider = \"prisma-erd-generator\"\n}\n";
        let because = run("{}", &[("prisma/schema.prisma", other)], None).unwrap_err().to_string();
        assert!(because.starts_with("prisma/schema.prisma:2: the generator"), "{because}");
        assert!(run("{}", &[("prisma.config.ts", "")], None).is_err());
        assert!(run("{}", &[("prisma/schema/a.prisma", "")], None).is_err());
    }
}
