use crate::text::{clean, counts, head, wrap};

#[test]
fn cleaning() {
    assert_eq!(clean("plain – text"), "plain – text");
    assert_eq!(clean("a\tb\u{7f}\u{85}"), "a\\x09b\\x7f\\u{85}");
}

#[test]
fn wrapping() {
    assert_eq!(wrap("  aa  bb   cc", 8, 4), ["  aa  bb", "    cc"]);
    assert_eq!(wrap("averylongword b", 4, 0), ["averylongword", "b"]);
    assert_eq!(wrap("", 4, 0), [""]);
    assert_eq!(wrap("a b ", 0, 1), ["a", " b"]);
}

#[test]
fn cutting() {
    assert_eq!((head("aé", 2), head("aé", 3), head("aé", 99)), ("a", "aé", "aé"));
    assert_eq!(counts(&[(0, "a"), (0, "b")]), "0 a");
    assert_eq!(counts(&[(0, "a"), (2, "b"), (1, "c")]), "2 b, 1 c");
}
