//! What holds for every file, whatever is in it, over the corpus: 10,876 real Dockerfiles, each in four ways.

use dockeropt::pipeline::{self, Options, Stop};
use dockeropt::syntax::{self, Dockerfile};
use dockeropt::transforms;
use std::time::Instant;

#[path = "support/comments.rs"]
mod comments;
#[path = "support/corpus.rs"]
mod corpus;

/// Files that the builder itself rejects.
const BROKEN: usize = 13;

fn only(id: &str) -> Options {
    Options { only: vec![id.to_owned()], ..Options::default() }
}

fn ways() -> [(&'static str, Options); 4] {
    [
        ("all transforms", Options::default()),
        ("all transforms, unsafe too", Options { unsafe_fixes: true, ..Options::default() }),
        ("only cache-mounts", only("cache-mounts")),
        ("only syntax-header", only("syntax-header")),
    ]
}

#[test]
fn items_tile_every_file() {
    let Some(folder) = corpus::folder("tiling") else { return };
    let samples = corpus::samples(&folder);
    let wrong: Vec<String> = corpus::each(&samples, |sample| tiles(&syntax::parse(&sample.text), &sample.text))
        .into_iter()
        .filter_map(|(name, wrong)| Some(format!("{name}: {}", wrong?)))
        .collect();
    corpus::say(&format!("tiling: {} of {} files", samples.len() - wrong.len(), samples.len()));
    corpus::assert_none("items do not tile the file", &wrong);
}

/// Where the items leave a gap, overlap, or are not the file.
fn tiles(dockerfile: &Dockerfile, text: &str) -> Option<String> {
    let mut at = 0;
    for item in &dockerfile.items {
        if item.span.start != at || item.span.end <= at {
            return Some(format!("the item {:?} comes behind byte {at}", item.span));
        }
        at = item.span.end;
    }
    if at != text.len() {
        return Some(format!("the items end at byte {at} of {}", text.len()));
    }
    let again: String = dockerfile.items.iter().map(|item| dockerfile.slice(item.span.clone())).collect();
    (again != text).then(|| "the items are not the text".to_owned())
}

#[test]
fn every_file_comes_through() {
    let Some(folder) = corpus::folder("corpus") else { return };
    let samples = corpus::samples(&folder);
    for (way, options) in ways() {
        let start = Instant::now();
        let results = corpus::each(&samples, |sample| run(&sample.text, &options));
        let wrong: Vec<String> =
            results.iter().flat_map(|(name, result)| result.wrong.iter().map(move |wrong| format!("{name}: {wrong}"))).collect();
        let count = |what: fn(&Result) -> bool| results.iter().filter(|(_, result)| what(result)).count();
        let (changed, broken) = (count(|result| result.changed), count(|result| result.broken));
        corpus::say(&format!(
            "corpus, {way}: {} files read, {changed} changed, {broken} that the builder rejects, {} wrong, {:.1} s",
            results.len(),
            wrong.len(),
            start.elapsed().as_secs_f64(),
        ));
        corpus::assert_none(way, &wrong);
        assert_eq!((results.len(), broken), (corpus::FILES, BROKEN), "{way}");
        assert!(changed > corpus::FILES / 20, "{way}: only {changed} files changed");
    }
}

struct Result {
    changed: bool,
    broken: bool,
    wrong: Vec<String>,
}

/// Runs the pipeline twice and says what does not hold.
fn run(text: &str, options: &Options) -> Result {
    let outcome = pipeline::run(text, options, transforms::all());
    let broken = outcome.stop == Stop::Broken;
    let mut wrong = Vec::new();
    let mut check = |holds: bool, words: &dyn Fn() -> String| {
        if !holds {
            wrong.push(words());
        }
    };
    let after = &outcome.after;
    check(outcome.before == text, &|| "`before` is not the input".to_owned());
    check(outcome.culprits.is_empty(), &|| format!("a guard stopped {:?}", outcome.culprits));
    check(matches!(outcome.stop, Stop::Fixpoint | Stop::Broken), &|| format!("it ended with {:?}", outcome.stop));
    check(broken != syntax::parse(text).errors.is_empty(), &|| "given up although the builder accepts it".to_owned());
    check(outcome.changed() != (outcome.applied.is_empty()), &|| "the text and what is said of it disagree".to_owned());
    if broken {
        check(after == text, &|| "changed although the builder rejects it".to_owned());
    }
    if outcome.changed() {
        let parsed = syntax::parse(after);
        check(parsed.errors.is_empty(), &|| format!("the result has errors: {:?}", parsed.errors));
        check(tiles(&parsed, after).is_none(), &|| "the items of the result do not tile it".to_owned());
        let (old, new) = (comments::of(text), comments::of(after));
        // They move with their instructions; the guards hold that they stay above them.
        let (mut old, mut new) = (old.without_header(), new.without_header());
        old.sort_unstable();
        new.sort_unstable();
        check(old == new, &|| "its comments are others".to_owned());
        check(line_ends(after) == line_ends(text), &|| format!("line ends {:?} became {:?}", line_ends(text), line_ends(after)));
        let marks = |text: &str| (text.starts_with('\u{feff}'), text.matches('\u{feff}').count(), text.ends_with('\n'));
        check(marks(after) == marks(text), &|| "the byte order mark or the last line end".to_owned());
        let again = pipeline::run(after, options, transforms::all());
        check(again.after == *after, &|| "a second run changes it again".to_owned());
        check(again.stop == Stop::Fixpoint && again.culprits.is_empty(), &|| format!("the second run: {:?}", again.stop));
    }
    Result { changed: outcome.changed(), broken, wrong }
}

/// Whether there are lines that end in CR LF, and in LF alone.
fn line_ends(text: &str) -> (bool, bool) {
    let crlf = text.matches("\r\n").count();
    (crlf > 0, text.matches('\n').count() > crlf)
}

/// The reader of comments that the test above relies on sees heredocs where the builder does.
#[test]
fn the_reader_of_comments_knows_heredocs() {
    let Some(folder) = corpus::folder("heredocs") else { return };
    let (samples, answers) = (corpus::samples(&folder), corpus::oracle(&folder));
    let mut lines = 0;
    let mut wrong = Vec::new();
    for sample in &samples {
        let Some(instructions) = answers[&sample.name]["instructions"].as_array() else { continue };
        let mut inside = Vec::new();
        for instruction in instructions {
            let heredocs = instruction["heredocs"].as_array().unwrap();
            let bodies = heredocs.iter().map(|heredoc| heredoc["content"].as_str().unwrap().matches('\n').count() + 1);
            let end = usize::try_from(instruction["end"].as_u64().unwrap()).unwrap();
            inside.extend(end + 1 - bodies.sum::<usize>()..=end);
        }
        lines += inside.len();
        if inside != comments::of(&sample.text).heredoc_lines {
            wrong.push(sample.name.clone());
        }
    }
    corpus::say(&format!("heredocs: {lines} lines, read as the builder does in all but {} files", wrong.len()));
    corpus::assert_none("heredocs are elsewhere for the builder", &wrong);
}
