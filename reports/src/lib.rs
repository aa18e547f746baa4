//! The result model of Linkrig and its writers.

pub mod model;
