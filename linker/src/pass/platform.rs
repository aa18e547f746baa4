//! Edges whose meaning is left to the platform ([`crate::platform`]) get the row of what they mean. The row that the object
//! has stands in [`LinkGraph::rewritten`].

use crate::graph::{LinkGraph, Rewrite};
use crate::platform::Platform;

/// Settles what holds, and gives the edges the rows of what they mean.
pub(crate) fn run(graph: &mut LinkGraph<'_>, asked: Platform) {
    let arch = graph.arch;
    graph.platform = arch.platform(graph.target, &graph.attributes, asked);
    let Some(rows) = arch.platform_rows(graph.platform) else { return };
    let mut rewritten = Vec::new();
    for (id, edge) in graph.edges.iter() {
        if let Some(&(_, row)) = rows.iter().find(|(was, row)| *was == edge.kind && was != row) {
            let word = graph.word_under(id).unwrap_or(0);
            rewritten.push((Rewrite { edge: id, was: edge.kind, word }, row));
        }
    }
    for (rewrite, row) in rewritten {
        graph.edges[rewrite.edge].kind = row;
        graph.rewritten.push(rewrite);
    }
}
