//! The functions of queries: a list. Nothing that asks for the time, for chance or for anything outside, nothing that makes a
//! short text into one of any length, no total that depends on the order of rows.

use std::sync::{Arc, LazyLock};

use datafusion_expr::{AggregateUDF, ScalarUDF};

use super::totals;

/// The names, as people may write them.
pub(super) const NAMES: &[&str] = &[
    "abs",
    "avg",
    "bool_and",
    "bool_or",
    "btrim",
    "ceil",
    "char_length",
    "character_length",
    "coalesce",
    "concat",
    "concat_ws",
    "contains",
    "count",
    "date_part",
    "date_trunc",
    "ends_with",
    "exp",
    "floor",
    "greatest",
    "initcap",
    "least",
    "left",
    "length",
    "ln",
    "log10",
    "log2",
    "lower",
    "ltrim",
    "make_date",
    "max",
    "mean",
    "median",
    "min",
    "nullif",
    "power",
    "regexp_like",
    "regexp_replace",
    "replace",
    "reverse",
    "right",
    "round",
    "rtrim",
    "signum",
    "split_part",
    "sqrt",
    "starts_with",
    "strpos",
    "substr",
    "substring",
    "sum",
    "to_date",
    "trim",
    "trunc",
    "upper",
];

/// Whether a function may be called.
pub(super) fn is_known(name: &str) -> bool {
    NAMES.contains(&name)
}

/// Functions of values; built once.
pub(super) fn scalars() -> Vec<Arc<ScalarUDF>> {
    static ALL: LazyLock<Vec<Arc<ScalarUDF>>> = LazyLock::new(|| {
        let called = |function: &Arc<ScalarUDF>| {
            is_known(function.name()) || function.aliases().iter().any(|alias| is_known(alias))
        };
        // `EXTRACT`, `SUBSTRING` and `TRIM` of the grammar are planned as these too.
        let all = datafusion_functions::all_default_functions();
        all.into_iter().filter(called).collect()
    });
    ALL.clone()
}

/// Totals.
pub(super) fn aggregates() -> Vec<Arc<AggregateUDF>> {
    use datafusion::functions_aggregate as all;
    vec![
        all::bool_and_or::bool_and_udaf(),
        all::bool_and_or::bool_or_udaf(),
        all::count::count_udaf(),
        all::median::median_udaf(),
        all::min_max::max_udaf(),
        all::min_max::min_udaf(),
        totals::sum(),
        totals::average(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_on_the_list_is_a_function_that_there_is() {
        let scalars = scalars();
        let scalars = scalars
            .iter()
            .flat_map(|it| it.aliases().iter().cloned().chain([it.name().to_owned()]));
        let names: Vec<String> = scalars
            .chain(
                [
                    "avg", "mean", "sum", "count", "median", "min", "max", "bool_and", "bool_or",
                ]
                .map(str::to_owned),
            )
            .collect();
        for name in NAMES {
            assert!(names.iter().any(|known| known == name), "{name}");
        }
        for name in [
            "random",
            "now",
            "uuid",
            "current_date",
            "version",
            "repeat",
            "lpad",
            "array_agg",
            "stddev",
        ] {
            assert!(!is_known(name), "{name}");
        }
    }
}
