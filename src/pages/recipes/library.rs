//! Ready recipes with samples to try them on. Each is a folder of `assets/library`, in the order of the page: `recipe.yaml`,
//! whose first line says what it is for, and small files. A file that is called as another table of the recipe stands for
//! that table; the remaining one is what the recipe is tried on, or the first of several that it puts together.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use rust_embed::RustEmbed;
use serde::Deserialize;
use sha2::{Digest as _, Sha256 as Hasher};
use sheetmill_engine::recipe::document::Recipe;
use sheetmill_engine::sheets::IngestOptions;

use crate::database::{files, recipes};
use crate::domain::ids::{FileId, RecipeId, Sha256, UserId};
use crate::domain::states::IngestState;
use crate::pages::gate::{self, Sent, Session, SignedIn};
use crate::pages::{PageError, Pages};
use crate::runs;
use crate::upload::Sender;

/// Recipes and files of a person that are looked through before another copy is made.
const LOOKED_THROUGH: i64 = 200;

#[derive(RustEmbed)]
#[folder = "assets/library/"]
struct Shelf;

/// A recipe that is ready.
#[derive(Debug)]
pub(in crate::pages) struct Ready {
    /// Its folder, which is its name in addresses.
    pub(in crate::pages) place: String,
    /// What it is for, in a sentence or two.
    pub(in crate::pages) about: String,
    /// What it does.
    pub(in crate::pages) recipe: Recipe,
    /// The names of its files: first the one it is tried on.
    pub(in crate::pages) samples: Vec<String>,
}

/// What is done with one.
#[derive(Debug, Deserialize)]
pub(in crate::pages) struct Wanted {
    #[serde(default)]
    how: How,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum How {
    /// It is kept, and opened on its sample.
    Try,
    /// It is kept.
    #[default]
    Use,
}

/// All of them.
pub(in crate::pages) fn all() -> &'static [Ready] {
    static ALL: OnceLock<Vec<Ready>> = OnceLock::new();
    ALL.get_or_init(|| places().iter().filter_map(|place| Ready::read(place)).collect())
}

fn places() -> Vec<String> {
    let place = |path: std::borrow::Cow<'static, str>| path.strip_suffix("/recipe.yaml").map(str::to_owned);
    let mut places: Vec<String> = Shelf::iter().filter_map(place).collect();
    places.sort();
    places
}

impl Ready {
    fn read(place: &str) -> Option<Self> {
        let text = Shelf::get(&format!("{place}/recipe.yaml"))?;
        let text = std::str::from_utf8(&text.data).ok()?;
        let recipe = Recipe::parse(text).ok()?;
        let inside = format!("{place}/");
        let mut samples: Vec<String> = Shelf::iter()
            .filter_map(|path| path.strip_prefix(&inside).map(str::to_owned))
            .filter(|name| name != "recipe.yaml" && !name.contains('/'))
            .collect();
        samples.sort_by_key(|name| recipe.references().contains(&stem(name)));
        Some(Self {
            place: place.to_owned(),
            about: text.lines().next()?.strip_prefix("# ")?.to_owned(),
            recipe,
            samples,
        })
    }

    fn bytes(&self, sample: &str) -> Option<Vec<u8>> {
        Shelf::get(&format!("{}/{sample}", self.place)).map(|it| it.data.into_owned())
    }
}

fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// `POST /recipes/library/{place}`
pub(in crate::pages) async fn take(
    request: HttpRequest,
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    place: web::Path<String>,
    sent: Sent<Wanted>,
) -> Result<HttpResponse, PageError> {
    let ready = all().iter().find(|it| it.place == *place).ok_or(PageError::NotFound)?;
    let recipe = keep(&pages, &session, ready).await?;
    let to = match sent.0.how {
        How::Use => format!("/recipes/{recipe}"),
        How::Try => {
            let asked_by = gate::asked_by(&request);
            let sender = Sender {
                user: session.user(),
                request: asked_by,
            };
            let samples = bring(&pages, sender, ready).await?;
            address(recipe, ready, &samples)
        }
    };
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, to)).finish())
}

/// The person's copy: the one they have, as long as it was not changed, or a new one.
async fn keep(pages: &Pages, session: &Session, ready: &Ready) -> Result<RecipeId, PageError> {
    let mut connection = pages.pool.acquire().await?;
    let known = recipes::list(&mut connection, session.user(), None, LOOKED_THROUGH).await?;
    for it in known.iter().filter(|it| it.name == ready.recipe.name) {
        let latest = recipes::latest(&mut connection, session.user(), it.id).await?;
        if latest.is_some_and(|row| Recipe::from_json(&row.document).is_ok_and(|it| it == ready.recipe)) {
            return Ok(it.id);
        }
    }
    drop(connection);
    Ok(
        runs::save_recipe(&pages.pool, session.user(), &ready.recipe, &runs::Note::default())
            .await?
            .recipe,
    )
}

/// The samples as files of the person, in the recipe's order: those that they have, and uploads of the others.
async fn bring(pages: &Pages, sender: Sender, ready: &Ready) -> Result<Vec<FileId>, PageError> {
    let mut found = Vec::new();
    for name in &ready.samples {
        let bytes = ready.bytes(name).ok_or(PageError::NotFound)?;
        let id = match there(pages, sender.user, name, &bytes).await? {
            Some(id) => id,
            None => {
                let options = IngestOptions::default();
                let received = pages.uploads.bring(sender, &options, name, &bytes).await?;
                let lost = || PageError::Internal(format!("the sample {name} of {} was refused", ready.place));
                received.id.ok_or_else(lost)?
            }
        };
        found.push(id);
    }
    Ok(found)
}

async fn there(pages: &Pages, user: UserId, name: &str, bytes: &[u8]) -> Result<Option<FileId>, PageError> {
    let sha256 = Sha256(Hasher::digest(bytes).into());
    let mut connection = pages.pool.acquire().await?;
    let known = files::page(&mut connection, user, None, LOOKED_THROUGH).await?;
    let is_good = |state| !matches!(state, IngestState::Refused | IngestState::Failed);
    let same = |it: &files::File| it.sha256 == sha256 && it.name == name && is_good(it.state);
    Ok(known.into_iter().find(same).map(|it| it.id))
}

/// The builder on the sample, with the others behind the names that the recipe calls them.
fn address(recipe: RecipeId, ready: &Ready, samples: &[FileId]) -> String {
    let named = ready.samples.iter().zip(samples).filter_map(|(name, id)| {
        let called = stem(name);
        let is_called = ready.recipe.references().contains(&called);
        is_called.then(|| (called.to_owned(), format!("{id}/0")))
    });
    let named: BTreeMap<String, String> = named.collect();
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    if let Some(file) = samples.first() {
        query.append_pair("file", &file.to_string());
    }
    if let Ok(json) = serde_json::to_string(&named)
        && !named.is_empty()
    {
        query.append_pair("references", &json);
    }
    format!("/recipes/{recipe}?{}", query.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_folder_is_a_recipe_with_a_name_a_sentence_and_the_files_that_it_wants() {
        assert!(places().len() >= 12, "{:?}", places());
        for place in places() {
            let ready =
                Ready::read(&place).unwrap_or_else(|| panic!("{place}: a recipe whose first line says what for"));
            assert!(!ready.recipe.name.is_empty() && ready.about.ends_with('.'), "{place}");
            let tables = ready.recipe.references();
            let tried_on = ready.samples.len() - tables.len();
            let wanted = if ready.recipe.puts_files_together() { 3 } else { 1 };
            assert_eq!(tried_on, wanted, "{place}");
            for (sample, called) in ready.samples.iter().skip(tried_on).zip(tables) {
                assert_eq!(stem(sample), called, "{place}");
            }
        }
    }

    #[test]
    fn the_builder_opens_on_the_sample_with_the_other_table_chosen() {
        let ready = all()
            .iter()
            .find(|it| !it.recipe.references().is_empty())
            .expect("one looks up");
        let samples = [FileId::new(), FileId::new()];
        let address = address(RecipeId::new(), ready, &samples);
        assert!(
            address.contains(&format!("?file={}&references=%7B%22", samples[0])),
            "{address}"
        );
        assert!(address.contains(&format!("{}%2F0", samples[1])), "{address}");
    }
}
