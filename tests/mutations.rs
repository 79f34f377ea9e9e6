//! Files that nobody wrote: real-looking Dockerfiles cut, doubled and spliced at random.
//!
//! Holds: nothing panics, items tile the file, one run reaches the fixpoint, and a guard (which then gives the text back) trips in
//! one of 100,000 at most: these texts are not files that anybody wrote. The seed is fixed, so a failure comes again; `DOCKEROPT_MUTATIONS` sets how many are tried (`.ci/full` tries many).

use dockeropt::pipeline::{self, Options, Stop};
use dockeropt::{syntax, transforms};

/// Small files with everything in them that is easy to get wrong.
const SEEDS: &[&str] = &[
    "# syntax=docker/dockerfile:1\nFROM python:3.12 AS a\nRUN apt-get update && apt-get install -y \\\n    # why\n    curl \\\n    && rm -rf /var/lib/apt/lists/* /tmp/*\nRUN pip install --no-cache-dir -r r.txt\n",
    "\u{feff}FROM node:20\r\nUSER node\r\nRUN npm ci && npm cache clean --force\r\nCOPY --from=0 /root/.npm /x\r\n",
    "# escape=`\nFROM alpine:3.20\nRUN apk add --no-cache `\n    git `\n\n    curl\nCMD [\"sh\"]\n",
    "FROM golang:1.22\nRUN <<EOF\nset -e\ngo mod download\n# c\ngo build ./...\nEOF\nRUN <<-A cat <<B\n\tx\n\tA\ny\nB\nCOPY <<a <<b /d/\n1\na\n2\nb\n",
    "ARG V=1\nFROM rust:$V\nENV CARGO_HOME=/c A=\"b c\" D='e'\nRUN [\"cargo\", \"build\"]\nRUN if true; then cargo build; else (cargo fetch; rm -rf /c/registry); fi\nONBUILD RUN npm i\n",
    "FROM ubuntu\nRUN useradd -m -u 1001 app\nUSER app\nRUN set -ex; pip install x; rm -rf ~/.cache; for i in a b; do pip3 install $i; done\n",
];

struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % limit.max(1)
    }
}

fn mutate(random: &mut Random) -> String {
    let mut text = SEEDS[random.below(SEEDS.len())].to_owned();
    for _ in 0..=random.below(6) {
        let mut chars: Vec<char> = text.chars().collect();
        let at = random.below(chars.len() + 1);
        let length = random.below(12).min(chars.len() - at);
        match random.below(6) {
            0 => drop(chars.drain(at..at + length)),
            1 => {
                let part: Vec<char> = chars[at..at + length].to_vec();
                chars.splice(at..at, part);
            }
            2 => {
                const BITS: &[&str] = &[
                    "\\\n",
                    "#",
                    "\"",
                    "'",
                    " && ",
                    ";",
                    "\r\n",
                    "<<E",
                    "\n",
                    "`",
                    "$(",
                    ")",
                    "{",
                    "}",
                    "||",
                    "ä",
                    "\0",
                    "--mount=type=cache,target=/root/.cache ",
                ];
                chars.splice(at..at, BITS[random.below(BITS.len())].chars());
            }
            3 => {
                let other: Vec<char> = SEEDS[random.below(SEEDS.len())].chars().collect();
                let from = random.below(other.len());
                let to = (from + random.below(80)).min(other.len());
                chars.splice(at..at, other[from..to].iter().copied());
            }
            4 => chars.truncate(at.max(1)),
            _ => {
                let mut lines: Vec<String> = chars.iter().collect::<String>().split_inclusive('\n').map(str::to_owned).collect();
                let (one, two) = (random.below(lines.len()), random.below(lines.len()));
                lines.swap(one, two);
                chars = lines.concat().chars().collect();
            }
        }
        text = chars.into_iter().collect();
        if text.is_empty() {
            return "FROM scratch\n".to_owned();
        }
    }
    text
}

#[test]
fn mutated_files_come_through() {
    let wanted = std::env::var("DOCKEROPT_MUTATIONS").ok().and_then(|count| count.parse().ok()).unwrap_or(20_000_usize);
    let mut random = Random(0x5eed);
    let (mut changed, mut tripped) = (0_usize, 0_usize);
    for case in 0..wanted {
        let text = mutate(&mut random);
        let dockerfile = syntax::parse(&text);
        let mut at = 0;
        for item in &dockerfile.items {
            assert_eq!(item.span.start, at, "case {case}: a gap or overlap in {text:?}");
            at = item.span.end;
        }
        assert_eq!(at, text.len(), "case {case}: the end is missing in {text:?}");
        let outcome = pipeline::run(&text, &Options::default(), transforms::all());
        if !outcome.culprits.is_empty() {
            tripped += 1;
            println!("case {case}: {:?} in {text:?}", outcome.culprits);
        }
        assert!(matches!(outcome.stop, Stop::Fixpoint | Stop::Broken), "case {case}: {:?} in {text:?}", outcome.stop);
        changed += usize::from(outcome.changed());
        let again = pipeline::run(&outcome.after, &Options::default(), transforms::all());
        assert!(!again.changed(), "case {case}: a second run changes {:?}", outcome.after);
    }
    println!("{wanted} mutated files, {changed} changed, a guard tripped in {tripped}");
    assert!(tripped <= wanted / 100_000, "guards tripped in {tripped} of {wanted}");
    assert!(changed * 10 > wanted, "only {changed} of {wanted} were changed: the seeds no longer stand for anything");
}
