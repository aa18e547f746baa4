//! Linkrig's reports.
