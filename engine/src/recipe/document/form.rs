//! The document as forms hold it: what is a map of texts in a step is a list of pairs there. JavaScript puts keys that look
//! like numbers in front of others and knows each key once; in a list a person's order stays, and a name that stands there
//! twice can be said to do so.
//!
//! ```json
//! {"map": {"column": "sex", "values": [["1", "male"], ["0", "female"]]}}
//! ```

use std::collections::HashSet;

use serde_json::Value as Json;

use super::{Entry, Node, Recipe, Value};
use crate::recipe::problem::Problem;
use crate::recipe::steps::{Definition, OptionKind, Step, definition};

impl Recipe {
    /// Reads the document as forms hold it; maps are maps or lists of pairs.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn from_form(value: &Json) -> Result<Self, Vec<Problem>> {
        let mut node = Node::from_json(value);
        let mut problems = Vec::new();
        for (at, step) in steps_of(&mut node).iter_mut().enumerate() {
            mapped(step, at + 1, &mut problems);
        }
        if problems.is_empty() {
            Self::read(&node)
        } else {
            Err(problems)
        }
    }

    /// The document as forms hold it.
    #[must_use]
    pub fn to_form(&self) -> Json {
        let mut value = self.to_json();
        value["steps"] = self.steps.iter().map(Step::to_form).collect();
        value
    }
}

impl Step {
    /// The step as forms hold it.
    #[must_use]
    pub fn to_form(&self) -> Json {
        let mut value = self.to_json();
        form_of(&mut value);
        value
    }
}

/// Makes lists of pairs of the maps of a step, `{name: {options}}`, as documents have it.
pub fn form_of(step: &mut Json) {
    let Some((name, options)) = step.as_object_mut().and_then(|it| it.iter_mut().next()) else {
        return;
    };
    let Some(definition) = definition(name) else { return };
    for option in definition.options.iter().filter(|option| is_map(option.kind)) {
        let map = match option.kind {
            OptionKind::Renames => Some(&mut *options),
            _ => options.get_mut(option.name),
        };
        if let Some(map) = map
            && let Some(entries) = map.as_object()
        {
            *map = entries
                .iter()
                .map(|(key, value)| serde_json::json!([key, value]))
                .collect();
        }
    }
}

/// Whether forms hold this as pairs.
fn is_map(kind: OptionKind) -> bool {
    matches!(
        kind,
        OptionKind::Renames | OptionKind::Values | OptionKind::Totals | OptionKind::JoinKeys | OptionKind::OtherColumns
    )
}

fn steps_of(node: &mut Node) -> &mut [Node] {
    let Value::Map(entries) = &mut node.value else {
        return &mut [];
    };
    let steps = entries.iter_mut().find(|entry| entry.key == "steps");
    match steps.map(|entry| &mut entry.node.value) {
        Some(Value::List(steps)) => steps,
        _ => &mut [],
    }
}

/// Makes maps of the lists of pairs of a step.
fn mapped(step: &mut Node, number: usize, problems: &mut Vec<Problem>) {
    let Value::Map(entries) = &mut step.value else { return };
    let [Entry { key: name, node, .. }] = entries.as_mut_slice() else {
        return;
    };
    let Some(definition) = definition(name) else { return };
    let Definition { options, .. } = definition;
    for option in options.iter().filter(|option| is_map(option.kind)) {
        let (map, path) = match (option.kind, &mut node.value) {
            (OptionKind::Renames, _) => (Some(&mut *node), definition.name.to_owned()),
            (_, Value::Map(entries)) => {
                let entry = entries.iter_mut().find(|entry| entry.key == option.name);
                (
                    entry.map(|it| &mut it.node),
                    format!("{}.{}", definition.name, option.name),
                )
            }
            _ => (None, String::new()),
        };
        if let Some(map) = map
            && let Some(pairs) = pairs_of(map)
        {
            let mut seen = HashSet::new();
            for (at, entry) in pairs.iter().enumerate() {
                if !seen.insert(&entry.key) {
                    problems.push(Problem::of_step(number, &format!("{path}[{at}]"), twice(&entry.key)));
                }
            }
            map.value = Value::Map(pairs);
        }
    }
}

fn twice(key: &str) -> String {
    match key {
        "" => "A blank stands here twice.".to_owned(),
        key => format!("`{key}` stands here twice."),
    }
}

/// A list of pairs as entries; nothing where it is something else.
fn pairs_of(node: &Node) -> Option<Vec<Entry>> {
    let Value::List(items) = &node.value else { return None };
    let entry = |item: &Node| match &item.value {
        Value::List(pair) => match pair.as_slice() {
            [
                Node {
                    value: Value::Scalar { text, .. },
                    place,
                },
                value,
            ] => Some(Entry {
                key: text.clone(),
                place: *place,
                node: value.clone(),
            }),
            _ => None,
        },
        _ => None,
    };
    items.iter().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn recipe(steps: Json) -> Json {
        json!({ "name": "n", "steps": steps })
    }

    #[test]
    fn maps_keep_their_order_whatever_their_keys_look_like() {
        let values = json!([["b", "x"], ["10", "y"], ["", "z"], ["2", ""]]);
        let document =
            recipe(json!([{ "map": { "column": "c", "values": values } }, { "rename": [["2", "a"], ["1", "b"]] }]));
        let read = Recipe::from_form(&document).expect("it is well-formed");
        assert!(read.to_yaml().contains("b: x"), "{}", read.to_yaml());
        let form = read.to_form();
        assert_eq!(form["steps"][0]["map"]["values"], values);
        assert_eq!(form["steps"][1]["rename"], json!([["2", "a"], ["1", "b"]]));
        assert_eq!(Recipe::from_form(&form), Ok(read));
    }

    #[test]
    fn a_key_that_stands_there_twice_is_told_with_its_place() {
        let steps = json!(["trim", { "map": { "column": "c", "values": [["a", "x"], ["b", "y"], ["a", "z"]] } }]);
        let problems = Recipe::from_form(&recipe(steps)).expect_err("it is twice");
        let [problem] = problems.as_slice() else {
            panic!("{problems:?}")
        };
        assert_eq!(
            (problem.step, problem.path.as_str()),
            (Some(2), "steps[1].map.values[2]")
        );
        assert_eq!(problem.message, "`a` stands here twice.");
    }

    #[test]
    fn every_kind_of_map_goes_both_ways_and_lists_of_columns_stay_lists() {
        let steps = json!([
            { "join": { "with": "p", "on": { "sku": "code", "1": "2" } } },
            { "join": { "with": "p", "on": ["sku"] } },
            { "group": { "by": ["a"], "totals": { "n": "count(*)" } } },
            { "append": { "with": "p", "columns": { "theirs": "ours" } } },
        ]);
        let read = Recipe::from_json(&recipe(steps)).expect("it is well-formed");
        let form = read.to_form();
        assert_eq!(form["steps"][0]["join"]["on"], json!([["sku", "code"], ["1", "2"]]));
        assert_eq!(form["steps"][1]["join"]["on"], json!(["sku"]));
        assert_eq!(form["steps"][2]["group"]["totals"], json!([["n", "count(*)"]]));
        assert_eq!(Recipe::from_form(&form), Ok(read));
    }

    #[test]
    fn what_is_no_list_of_pairs_is_told_in_the_words_of_the_step() {
        let problems = Recipe::from_form(&recipe(json!([{ "map": { "column": "c", "values": [["a"]] } }])));
        assert!(problems.expect_err("wrong")[0].message.contains("old and new values"));
        assert!(Recipe::from_form(&json!(3)).is_err());
        assert!(Recipe::from_form(&recipe(json!([{ "map": 3 }, { "nothing": [] }, 4]))).is_err());
    }
}
