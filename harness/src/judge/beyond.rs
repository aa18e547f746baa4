//! Whether a link that should have been refused was.

use corpus::matrix::OutOfReach;
use linker::error::Site;
use linker::graph::{Edge, LinkGraph};
use linker::index::EdgeId;
use linker::link::Finalized;

/// A relocation of a code model whose target is farther away than the model allows. By addresses and not by the table of
/// relocations, which should have refused it.
pub(super) fn beyond<H>(linked: &Finalized<'_, H>, model: &OutOfReach) -> Option<String> {
    let graph = linked.graph();
    let far = |&(id, edge): &(EdgeId, &Edge)| {
        let target = LinkGraph::made(&graph.entries, id).map_or(edge.target, |entry| entry.symbol);
        let place = graph.blocks[edge.block].address.wrapping_add(edge.offset.into());
        let listed = model.relocations.contains(&graph.row(edge).name);
        listed && graph.address(target).is_some_and(|address| address.abs_diff(place) > model.reach)
    };
    graph.live_edges().find(far).map(|(_, edge)| Site::edge(graph, edge).to_string())
}
