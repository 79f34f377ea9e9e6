//! A sheet as a page: one file, no script, nothing fetched.
//!
//! Owns: the page's words and its looks. Every text of a repository goes through [`escaped`].

mod strips;

use super::calendar::day;
use super::text::blamed;
use super::{Asked, Sheet, count};
use crate::cache::Replay;
use std::fmt::Write;

const STYLE: &str = include_str!("page/page.css");

/// Commits beyond are left out of the list at the end.
const MOST_LISTED: usize = 400;

/// Paths that are blamed by name.
const MOST_BLAMED: usize = 12;

/// The page of one or more files.
pub fn page(sheets: &[Sheet]) -> String {
    let mut text = String::from(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>What each change costs</title>\n<style>\n",
    );
    text.push_str(STYLE);
    text.push_str("</style>\n</head>\n<body>\n<main>\n");
    if sheets.is_empty() {
        text.push_str("<p>No file could be looked at.</p>\n");
    }
    sheets.iter().for_each(|sheet| section(&mut text, sheet));
    text.push_str("<footer>Made by dockeropt, from BuildKit's cache keys; nothing was built. ");
    text.push_str("The Dockerfile is held as it is now, and the cache of the commit before is taken to be there.</footer>\n");
    text.push_str("</main>\n</body>\n</html>\n");
    text
}

/// Text for HTML.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

fn section(text: &mut String, sheet: &Sheet) {
    let asked = match &sheet.asked {
        Asked::History => span(sheet),
        Asked::Change(words) => words.clone(),
    };
    put(text, format_args!("<section>\n<h1>{}</h1>\n<p class=\"asked\">{}</p>\n", escaped(&sheet.name), escaped(&asked)));
    figures(text, sheet);
    legend(text, sheet);
    strips::steps(text, sheet);
    blame(text, sheet);
    if sheet.asked == Asked::History {
        commits(text, sheet);
    }
    text.push_str("</section>\n");
}

/// Writing to a String can't fail.
fn put(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    let _ = text.write_fmt(arguments);
}

fn span(sheet: &Sheet) -> String {
    let (number, touch) = match sheet.changes.len() {
        1 => ("commit".to_owned(), "touches"),
        many => (format!("{many} commits"), "touch"),
    };
    let days = (sheet.columns.first().map(|column| column.time), sheet.columns.last().map(|column| column.time));
    match days {
        (Some(first @ 1..), Some(last @ 1..)) => {
            format!("the last {number} that {touch} its build context, from {} to {}", day(first), day(last))
        }
        _ => format!("the last {number} that touch its build context"),
    }
}

/// The sums as large numbers.
fn figures(text: &mut String, sheet: &Sheet) {
    let (before, after) = (sheet.before.totals(), sheet.after.totals());
    let commits = sheet.changes.len();
    let mut cards: Vec<(usize, usize, String)> = Vec::new();
    if sheet.asked == Asked::History {
        if before.installs + after.installs > 0 {
            cards.push((
                before.installs,
                after.installs,
                format!("of {} install the dependencies again", count(commits, "commit", "commits")),
            ));
        }
        cards.push((before.commands, after.commands, "commands of RUN run again, all commits together".to_owned()));
        cards.push((before.steps, after.steps, "steps run again, COPY counted".to_owned()));
        if before.packages + after.packages > 0 {
            cards.push((before.packages, after.packages, "installs of other packages run again".to_owned()));
        }
    } else {
        cards.push((before.steps, after.steps, "steps run again".to_owned()));
        cards.push((before.commands, after.commands, "commands of RUN run again".to_owned()));
    }
    text.push_str("<div class=\"cards\">\n");
    for (was, is, words) in cards {
        let numbers = if sheet.rewritten {
            format!(
                "<b class=\"was\">{was}</b><span class=\"to\" aria-label=\"after the rewrite\">→</span><b class=\"is\">{is}</b>"
            )
        } else {
            format!("<b class=\"was\">{was}</b>")
        };
        put(text, format_args!("<div class=\"card\"><p>{numbers}</p><p>{}</p></div>\n", escaped(&words)));
    }
    text.push_str("</div>\n");
}

fn legend(text: &mut String, sheet: &Sheet) {
    text.push_str("<p class=\"legend\"><span class=\"key run\"></span>runs again <span class=\"key may\"></span>runs unless what another stage made came out the same <span class=\"key cached\"></span>from the cache");
    if sheet.asked == Asked::History {
        text.push_str(". A column is a commit, the oldest on the left");
    }
    text.push_str(".</p>\n");
}

fn blame(text: &mut String, sheet: &Sheet) {
    let blamed = blamed(sheet);
    if blamed.is_empty() || sheet.asked != Asked::History {
        return;
    }
    text.push_str("<h2>Whose changes install the dependencies again</h2>\n<table>\n<tr><th>path</th><th>commits before</th>");
    text.push_str(if sheet.rewritten { "<th>after</th></tr>\n" } else { "</tr>\n" });
    for (path, was, is) in blamed.iter().take(MOST_BLAMED) {
        let after = if sheet.rewritten { format!("<td>{is}</td>") } else { String::new() };
        put(text, format_args!("<tr><td><code>{}</code></td><td>{was}</td>{after}</tr>\n", escaped(path)));
    }
    text.push_str("</table>\n");
    if let Some(more) = blamed.len().checked_sub(MOST_BLAMED).filter(|more| *more > 0) {
        put(text, format_args!("<p class=\"asked\">and {more} more</p>\n"));
    }
}

fn commits(text: &mut String, sheet: &Sheet) {
    let after = if sheet.rewritten { "<th>after</th>" } else { "" };
    put(
        text,
        format_args!(
            "<details>\n<summary>The commits, one by one</summary>\n<table>\n<tr><th>day</th><th>commit</th><th></th><th>steps before</th>{after}</tr>\n"
        ),
    );
    let runs = |replay: &Replay, index: usize| replay.forecasts.get(index).map_or(0, crate::cache::Forecast::runs);
    for (index, column) in sheet.columns.iter().enumerate().rev().take(MOST_LISTED) {
        let after = if sheet.rewritten { format!("<td>{}</td>", runs(&sheet.after, index)) } else { String::new() };
        put(
            text,
            format_args!(
                "<tr><td>{}</td><td><code>{}</code></td><td class=\"subject\">{}</td><td>{}</td>{after}</tr>\n",
                day(column.time),
                escaped(&column.id),
                escaped(&column.subject),
                runs(&sheet.before, index)
            ),
        );
    }
    text.push_str("</table>\n</details>\n");
}
