//! Data that functions return: finalization calls each function once and stores what it returns in the place.

use crate::error::{Error, Result, Site};
use crate::graph::{Flags, LinkGraph};
use crate::index::EdgeId;
use crate::relocation::Class;

/// Notes the places. Runs before functions that choose themselves become their stubs.
pub(crate) fn run(graph: &mut LinkGraph<'_>) -> Result<()> {
    let places: Vec<EdgeId> = graph.live_edges_of(Class::Initialised).map(|(id, _)| id).collect();
    let chooses = |id: &&EdgeId| graph.symbols[graph.edges[**id].target].flags.has(Flags::IFUNC);
    if let Some(&id) = places.iter().find(chooses) {
        let problem = "the symbol is an IFUNC, expected a function that is there without being chosen".to_owned();
        return Err(Error::Malformed { site: Box::new(Site::edge(graph, &graph.edges[id])), problem });
    }
    graph.initialised = places;
    Ok(())
}
