//! The result model of Linkrig and its writers.
//!
//! A run is a stream of [`model::Event`]s. [`json`] writes it as it happens, or whole, and reads both back as a
//! [`Report`]; a [`Summary`] counts it; [`junit`], [`markdown`], [`html`] and [`terminal`] show it. Nothing here runs anything, and no
//! text of a report, however strange, makes a writer panic or reach a terminal unescaped.
//!
//! ```
//! use reports::{Report, Summary, terminal};
//!
//! let stream = concat!(
//!     r#"{"event":"start","version":1,"program":"harness 0.1.0","command":[],"selected":1,"toolchains":{}}"#, "\n",
//!     r#"{"event":"result","name":"elf/armv7/calls/add/gcc/near/unicorn","target":"armv7","case":"calls/add","build":"gcc","#,
//!     r#""layout":"near","executor":"unicorn","status":"passed","seconds":0.25,"checks":3}"#, "\n",
//!     r#"{"event":"end","by_status":{"passed":1},"seconds":0.5}"#, "\n",
//! );
//! let report = Report::from_slice(stream.as_bytes())?;
//! assert!(report.complete());
//! let summary = Summary::of(&report);
//! assert_eq!(summary.exit_status(), reports::exit::OK);
//! assert!(terminal::render(&summary, &terminal::Style::default()).ends_with("1 passed in 0.50 s\n"));
//! # Ok::<(), reports::json::ReadError>(())
//! ```

pub mod causes;
pub mod compare;
pub mod coverage;
pub mod exit;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod model;
pub mod subjects;
pub mod summary;
pub mod terminal;

mod failure;
mod text;

pub use json::Report;
pub use summary::Summary;

#[cfg(test)]
mod tests;
