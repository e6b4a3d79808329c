//! `/guide/expressions`: how formulas and conditions are written, and the functions that they may call.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use sheetmill_engine::recipe::guide::{FUNCTIONS, FunctionGroup, FunctionPage, TOTALS, TOTALS_OF};

use crate::pages::chrome::Chrome;
use crate::pages::gate::SignedIn;
use crate::pages::{PageError, Pages, filters};

#[derive(Debug, Template)]
#[template(path = "guide/expressions.html")]
struct ExpressionsPage {
    chrome: Chrome,
    groups: &'static [FunctionGroup],
    totals: &'static [FunctionPage],
    /// The cells that totals are shown of.
    cells: String,
}

/// `GET /guide/expressions`
pub(in crate::pages) async fn show(
    request: HttpRequest,
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
) -> Result<HttpResponse, PageError> {
    crate::pages::page(&ExpressionsPage {
        chrome: Chrome::of(&request, &session, "guide", pages.clock.now()),
        groups: FUNCTIONS,
        totals: TOTALS,
        cells: TOTALS_OF
            .map(|cell| if cell.is_empty() { "a blank" } else { cell })
            .join(", "),
    })
}
