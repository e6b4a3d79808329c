//! The runs that are tied to a run by following: a picture from left to right.

use std::collections::HashMap;

use askama::Template;

use crate::database::follows::Node;
use crate::domain::ids::RunId;
use crate::pages::PageError;
use crate::pages::marks::Mark;

/// More runs of a chain than this are not drawn.
pub(super) const MOST: i64 = 60;

#[derive(Debug, Template)]
#[template(path = "runs/_chain.html")]
struct Chain {
    layers: Vec<Vec<Stop>>,
}

/// A run of the picture.
#[derive(Debug)]
struct Stop {
    id: RunId,
    name: String,
    mark: Mark,
    here: bool,
}

/// The picture; nothing for a run that stands alone.
pub(super) fn fragment(run: RunId, nodes: &[Node]) -> Result<String, PageError> {
    if nodes.len() < 2 {
        return Ok(String::new());
    }
    let mut layers: Vec<Vec<Stop>> = Vec::new();
    for (node, depth) in nodes.iter().zip(depths(nodes)) {
        layers.resize_with(layers.len().max(depth + 1), Vec::new);
        layers[depth].push(Stop {
            id: node.id,
            name: super::list::title(node.name.clone()),
            mark: node.state.into(),
            here: node.id == run,
        });
    }
    Ok(Chain { layers }.render()?)
}

/// How many runs lie before each at most. A run is younger than what it follows, and comes later in the list.
fn depths(nodes: &[Node]) -> Vec<usize> {
    let mut known: HashMap<uuid::Uuid, usize> = HashMap::with_capacity(nodes.len());
    let mut depths = Vec::with_capacity(nodes.len());
    for node in nodes {
        let before = node.after.iter().filter_map(|it| known.get(it)).max();
        let depth = before.map_or(0, |it| it + 1);
        known.insert(node.id.0, depth);
        depths.push(depth);
    }
    depths
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::states::RunState;

    #[test]
    fn a_run_stands_right_of_all_that_it_follows() {
        let node = |after: &[RunId]| Node {
            id: RunId::new(),
            name: "Clean".to_owned(),
            state: RunState::Waiting,
            after: after.iter().map(|it| it.0).collect(),
        };
        let first = node(&[]);
        let (one, other) = (node(&[first.id]), node(&[first.id]));
        let further = node(&[other.id]);
        let last = node(&[one.id, further.id]);
        let nodes = [first, one, other, further, last];
        assert_eq!(depths(&nodes), [0, 1, 1, 2, 3]);
        assert!(fragment(nodes[0].id, &nodes[..1]).expect("a fragment").is_empty());
        let html = fragment(nodes[1].id, &nodes).expect("a fragment");
        assert_eq!(html.matches("aria-current").count(), 1);
    }
}
