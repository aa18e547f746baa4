//! The parts that sections of a page are made of.

use maud::{Markup, html};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::model::Status;
use crate::text::{clean, counted};

/// Characters that a fragment holds as its escapes: all but those of which names are made.
const ESCAPED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b':').remove(b',');

/// A stable name in its parts: `elf/<target>/<group>/<case>/<configuration>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Name<'a> {
    /// The name as far as the case.
    pub(super) case: &'a str,
    /// The rest: build, layout, executor.
    pub(super) configuration: &'a str,
    pub(super) target: &'a str,
    pub(super) group: &'a str,
}

impl<'a> Name<'a> {
    /// Of a name, which need not be one.
    pub(super) fn of(name: &'a str) -> Name<'a> {
        let fourth = name.match_indices('/').nth(3);
        let (case, configuration) = fourth.map_or((name, ""), |(at, _)| (&name[..at], &name[at + 1..]));
        let mut parts = case.split('/').skip(1);
        let (target, group) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        Name { case, configuration, target, group }
    }
}

/// The group of `group/case`.
pub(super) fn group(case: &str) -> &str {
    case.split_once('/').map_or(case, |(group, _)| group)
}

/// A status in the word that tables have for it.
pub(super) fn word(status: Status) -> &'static str {
    match status {
        Status::Passed => "passed",
        Status::Failed => "failed",
        Status::Skipped => "skipped",
        Status::Refused => "refused",
        Status::ExpectedFailure => "xfailed",
        Status::UnexpectedPass => "xpassed",
        Status::Lost => "lost",
    }
}

/// The address of an anchor on this page.
pub(super) fn href(name: &str) -> String {
    format!("#{}", utf8_percent_encode(&clean(name), ESCAPED))
}

/// The address of this page with these filters set.
pub(super) fn filter(set: &[(&str, &str)]) -> String {
    let set: Vec<String> =
        set.iter().map(|(name, text)| format!("{name}={}", utf8_percent_encode(&clean(text), ESCAPED))).collect();
    format!("#{}", set.join("&"))
}

/// A number in a cell; none is faint, and what there should be none of is not.
pub(super) fn number(count: usize, class: &str) -> Markup {
    let class = match (count, class) {
        (0, _) => "n zero".to_owned(),
        (_, "") => "n".to_owned(),
        _ => format!("n {class}"),
    };
    html! { td class=(class) { (count) } }
}

/// The head of a table: columns of text, then of numbers.
pub(super) fn head<'a>(texts: &[&str], numbers: impl IntoIterator<Item = &'a str>) -> Markup {
    html! {
        thead { tr {
            @for name in texts { th { (name) } }
            @for name in numbers { th.n { (name) } }
        } }
    }
}

/// What a cut list says at its end.
pub(super) fn more(left: usize, what: &str) -> Markup {
    html! { @if left > 0 { p.note { "and " (counted(left, what)) " more, which the JSON report has" } } }
}

/// Shares of a whole as a bar: class and count of each.
pub(super) fn bar(shares: &[(&str, usize)]) -> Markup {
    html! {
        span.bar aria-hidden="true" {
            @for (class, count) in shares.iter().filter(|share| share.1 > 0) {
                i class=(class) style={ "flex:" (count) } {}
            }
        }
    }
}
