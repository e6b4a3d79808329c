//! `sql`: a query over the table and other tables.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{Definition, OptionForm, OptionKind, enumerated};
use crate::recipe::columns::{Column, of_table};
use crate::recipe::document::{Node, Reading, Value};
use crate::recipe::plan::operator::Operator;
use crate::recipe::plan::query::QueryPlan;
use crate::recipe::problem::Problem;
use crate::recipe::query::{self, DATA, Empty, Given, Query};
use crate::recipe::references::References;
use crate::tables::read::Table;

/// Puts the result of one SELECT in place of the table. The table is called `data`, others as the recipe's references are.
/// Rows come in the order of ORDER BY, then by their columns from the first on; a query that only chooses rows and columns
/// keeps the order of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sql {
    /// The query.
    pub query: String,
    /// The tables that it names, `data` among them.
    tables: Vec<String>,
}

impl Sql {
    /// How forms and the guide present it.
    pub const DEFINITION: Definition = Definition {
        name: "sql",
        title: "Run a query",
        about: "Puts the result of an SQL query in place of the table.",
        options: &[OptionForm {
            name: "query",
            title: "Query",
            kind: OptionKind::Query,
            required: true,
            default: None,
            about: "One SELECT; this table is called `data`. A division by zero, or a number too large, gives a blank; a whole number that grows too large, or a text that cannot be cast, stops the run.",
        }],
    };

    /// A query, whatever it is.
    #[must_use]
    pub fn new(query: String) -> Self {
        let tables = query::tables(&query);
        Self { query, tables }
    }

    pub(super) fn read(node: &Node, path: &str, reading: &mut Reading) -> Option<Self> {
        if matches!(node.value, Value::Scalar { .. }) && !node.is_null() {
            reading.places.insert(format!("{path}.query"), node.place);
            return Some(Self::new(reading.text(node, &format!("{path}.query"), "`sql`")?));
        }
        let mut options = reading.map(node, path, "`sql`")?;
        let query = options.required_text(reading, "query");
        options.finish(reading, &["query"]);
        Some(Self::new(query?))
    }

    pub(super) fn to_json(&self) -> Json {
        json!({ "query": self.query })
    }

    pub(super) fn label(&self) -> String {
        match self.tables.as_slice() {
            [] => "Run a query".to_owned(),
            tables => format!("Run a query over {}", enumerated(tables)),
        }
    }

    /// The names of the other tables that it reads.
    pub(super) fn references(&self) -> impl Iterator<Item = &str> {
        self.tables.iter().map(String::as_str).filter(|name| *name != DATA)
    }

    pub(super) fn check(&self, columns: &[Column], references: &References) -> Result<Vec<Column>, Vec<Problem>> {
        Ok(self.compiled(columns, references)?.columns)
    }

    pub(super) fn plan(
        &self,
        columns: &[Column],
        references: &References,
        _formats: &mut Vec<String>,
    ) -> Result<Operator, Vec<Problem>> {
        let query = self.compiled(columns, references)?;
        let read = |(name, _): &(&String, &Table)| self.references().any(|it| it == name.as_str());
        let others = references.iter().filter(read);
        Ok(Operator::Query(QueryPlan {
            text: self.query.clone(),
            before: columns.to_vec(),
            others: others.map(|(name, table)| (name.clone(), table.clone())).collect(),
            needs: query.needs,
        }))
    }

    /// The query planned over tables without rows.
    fn compiled(&self, columns: &[Column], references: &References) -> Result<Query, Vec<Problem>> {
        if let Some((name, _)) = references.iter().find(|(name, _)| *name == DATA) {
            let message = format!("Another table cannot be called `{name}`: that is the name of this one.");
            return Err(vec![Problem::at("query", message)]);
        }
        let others = references
            .iter()
            .map(|(name, table)| (name.as_str(), of_table(table.meta()), Some(table.meta().rows)));
        let given = |(name, columns, rows): (&str, Vec<Column>, Option<u64>)| Given {
            name: name.to_owned(),
            rows,
            source: Arc::new(Empty(query::schema(&columns))),
            columns,
        };
        let tables: Vec<Given> = [(DATA, columns.to_vec(), None)]
            .into_iter()
            .chain(others)
            .map(given)
            .collect();
        query::compile(&self.query, &tables, None)
            .map_err(|fault| vec![Problem::at("query", fault.message).with_span(fault.span)])
    }
}
