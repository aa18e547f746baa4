//! Linkrig's corpus.
