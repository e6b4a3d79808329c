//! The order of a result, from its rows alone, and joins that would not end.

use std::sync::Arc;

use datafusion_common::Result;
use datafusion_common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion_expr::expr::Sort as SortExpr;
use datafusion_expr::logical_plan::{Join, Sort};
use datafusion_expr::{Expr, LogicalPlan};

use super::Given;
use crate::recipe::expression::Fault;

/// A side of a join without an equality may have so many rows: each batch of the other side meets all of them, and cannot be
/// stopped meanwhile.
const FEW_ROWS: u64 = 100;

/// The same plan with an order that is defined: ties of each sort are broken by all columns, from the first on. What LIMIT
/// takes the first of, and the result, are sorted so where they are neither sorted by the query nor the table's rows in their
/// order.
pub(super) fn settled(plan: LogicalPlan) -> Result<LogicalPlan> {
    let plan = plan.transform_up_with_subqueries(|node| {
        Ok(match node {
            LogicalPlan::Sort(sort) => Transformed::yes(LogicalPlan::Sort(without_ties(sort))),
            LogicalPlan::Limit(mut limit) if !is_settled(&limit.input) => {
                limit.input = Arc::new(sorted(Arc::unwrap_or_clone(limit.input)));
                Transformed::yes(LogicalPlan::Limit(limit))
            }
            node => Transformed::no(node),
        })
    })?;
    let plan = plan.data;
    Ok(if is_settled(&plan) { plan } else { sorted(plan) })
}

fn is_settled(plan: &LogicalPlan) -> bool {
    is_sorted(plan) || is_row_by_row(plan)
}

fn is_sorted(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Sort(_) => true,
        LogicalPlan::Limit(limit) => is_sorted(&limit.input),
        LogicalPlan::Projection(projection) => !has_queries(plan) && is_sorted(&projection.input),
        _ => false,
    }
}

/// Whether rows go through one by one, in the table's order.
fn is_row_by_row(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::TableScan(_) | LogicalPlan::EmptyRelation(_) => true,
        LogicalPlan::Limit(limit) => is_row_by_row(&limit.input),
        LogicalPlan::SubqueryAlias(alias) => is_row_by_row(&alias.input),
        LogicalPlan::Projection(projection) => !has_queries(plan) && is_row_by_row(&projection.input),
        LogicalPlan::Filter(filter) => !has_queries(plan) && is_row_by_row(&filter.input),
        _ => false,
    }
}

/// Whether an expression asks a query: that becomes a join.
fn has_queries(plan: &LogicalPlan) -> bool {
    let is_query = |expr: &Expr| {
        Ok(matches!(
            expr,
            Expr::Exists(_) | Expr::InSubquery(_) | Expr::ScalarSubquery(_) | Expr::SetComparison(_)
        ))
    };
    plan.expressions()
        .iter()
        .any(|expr| expr.exists(is_query).unwrap_or(true))
}

fn without_ties(mut sort: Sort) -> Sort {
    let given: Vec<Expr> = sort.expr.iter().map(|key| key.expr.clone()).collect();
    let ties = by_columns(&sort.input)
        .into_iter()
        .filter(|key| !given.contains(&key.expr));
    sort.expr.extend(ties);
    sort
}

fn sorted(plan: LogicalPlan) -> LogicalPlan {
    let expr = by_columns(&plan);
    LogicalPlan::Sort(Sort {
        expr,
        input: Arc::new(plan),
        fetch: None,
    })
}

fn by_columns(plan: &LogicalPlan) -> Vec<SortExpr> {
    let columns = plan.schema().columns();
    columns
        .into_iter()
        .map(|column| Expr::Column(column).sort(true, false))
        .collect()
}

/// Says which join compares each row with each row.
pub(super) fn refuse_endless_joins(plan: &LogicalPlan, tables: &[Given]) -> std::result::Result<(), Fault> {
    let mut found = None;
    let walked = plan.apply_with_subqueries(|node| {
        if let LogicalPlan::Join(join) = node
            && join.on.is_empty()
        {
            let few = |side: &LogicalPlan| rows_at_most(side, tables).is_some_and(|rows| rows <= FEW_ROWS);
            if !few(&join.left) && !few(&join.right) {
                found = Some(sentence(join));
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    });
    match (walked, found) {
        (Ok(_), None) => Ok(()),
        (_, Some(sentence)) => Err(Fault::new(sentence, None)),
        (Err(_), None) => Err(Fault::new("The query cannot be looked through.", None)),
    }
}

fn sentence(join: &Join) -> String {
    let names = [&join.left, &join.right].map(|side| table_of(side));
    let between = match names {
        [Some(left), Some(right)] if left != right => format!("`{left}` and `{right}`"),
        [Some(left), _] => format!("`{left}` and what it is joined with"),
        _ => "two parts of the query".to_owned(),
    };
    format!(
        "The join of {between} compares each row with each row. It needs a condition that two columns are equal, such as \
         ON data.sku = prices.sku, that holds by itself or beside others joined by AND."
    )
}

fn table_of(plan: &LogicalPlan) -> Option<String> {
    if let LogicalPlan::TableScan(scan) = plan {
        return Some(scan.table_name.table().to_owned());
    }
    plan.inputs().into_iter().find_map(table_of)
}

fn rows_at_most(plan: &LogicalPlan, tables: &[Given]) -> Option<u64> {
    let own = plan.max_rows().map(|rows| rows as u64);
    let below = match plan {
        LogicalPlan::TableScan(scan) => {
            let given = tables.iter().find(|table| table.name == scan.table_name.table());
            given.and_then(|table| table.rows)
        }
        LogicalPlan::Projection(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::Distinct(_)
        | LogicalPlan::Aggregate(_) => plan.inputs().first().and_then(|input| rows_at_most(input, tables)),
        _ => None,
    };
    match (own, below) {
        (Some(own), Some(below)) => Some(own.min(below)),
        (own, below) => own.or(below),
    }
}
