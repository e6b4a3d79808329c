//! All routes of the pages, on one screen.

use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig, get, post};

use super::{
    PageError, Pages, admin, artifact, assets, files, frame, guide, home, recipes, runs, sign_in, theme, welcome,
};

/// Every page. They take every path that is left, so they come after all others.
pub fn routes(config: &mut ServiceConfig, pages: web::Data<Pages>) {
    let scope = web::scope("")
        .app_data(pages)
        .wrap(from_fn(frame::frame))
        .default_service(web::to(nothing))
        .route("/assets/{hash}/{path:.*}", get().to(assets::asset))
        .route("/welcome", get().to(welcome::show))
        .route("/welcome", post().to(welcome::accept))
        .route("/sign-in", get().to(sign_in::show))
        .route("/sign-in", post().to(sign_in::sign_in))
        .route("/sign-out", post().to(sign_in::sign_out))
        .route("/theme", post().to(theme::choose))
        .route("/", get().to(home::show))
        .route("/live", get().to(home::live))
        .route("/files", get().to(files::list::show))
        .route("/files", post().to(files::upload::receive))
        .route("/files/{file}", get().to(files::workbook::show))
        .route("/files/{file}/live", get().to(files::reading::live))
        .route("/files/{file}/members/live", get().to(files::archive::live))
        .route("/files/{file}/peek", get().to(files::again::peek))
        .route("/files/{file}/download", get().to(files::bytes::download))
        .route("/files/{file}/read", post().to(files::again::read))
        .route("/files/{file}/remove", post().to(files::bytes::remove))
        .route("/files/{file}/tables/{position}/rows", get().to(files::rows::rows))
        .route(
            "/files/{file}/tables/{position}/columns/{column}",
            get().to(files::column::show),
        )
        .route("/guide", get().to(guide::index::show))
        .route("/guide/expressions", get().to(guide::expressions::show))
        .route("/guide/input", get().to(guide::part::input))
        .route("/guide/output", get().to(guide::part::output))
        .route("/guide/{step}", get().to(guide::step::show))
        .configure(recipes_and_runs)
        .route("/artifacts/{artifact}", get().to(artifact::download))
        .route("/admin", get().to(admin::tasks::show))
        .route("/admin/live", get().to(admin::tasks::live))
        .route("/admin/tasks/{task}", get().to(admin::task::show))
        .route("/admin/tasks/{task}/live", get().to(admin::task::live))
        .route("/admin/tasks/{task}/retry", post().to(admin::task::retry))
        .route("/admin/tasks/{task}/cancel", post().to(admin::task::cancel))
        .route("/admin/schedules", get().to(admin::schedules::show))
        .route("/admin/schedules/live", get().to(admin::schedules::live))
        .route("/admin/schedules/{schedule}/pause", post().to(admin::schedule::pause))
        .route("/admin/schedules/{schedule}/resume", post().to(admin::schedule::resume))
        .route("/admin/schedules/{schedule}/run", post().to(admin::schedule::run_now))
        .route("/admin/schedules/{schedule}/change", post().to(admin::schedule::change))
        .route("/admin/reports/{tick}", get().to(admin::schedule::report))
        .route("/admin/workers", get().to(admin::workers::show))
        .route("/admin/workers/live", get().to(admin::workers::live));
    config.service(scope);
}

fn recipes_and_runs(config: &mut ServiceConfig) {
    config
        .route("/recipes", get().to(recipes::list::show))
        .route("/recipes", post().to(recipes::save::create))
        .route("/recipes/new", get().to(recipes::builder::blank))
        .route("/recipes/import", get().to(recipes::import::show))
        .route("/recipes/import", post().to(recipes::import::take))
        .route("/recipes/library/{place}", post().to(recipes::library::take))
        .route("/recipes/preview", post().to(recipes::preview::preview))
        .route("/recipes/row", post().to(recipes::row::tell))
        .route("/recipes/{recipe}", get().to(recipes::builder::show))
        .route("/recipes/{recipe}", post().to(recipes::save::save))
        .route("/recipes/{recipe}/revisions", get().to(recipes::history::show))
        .route(
            "/recipes/{recipe}/revisions/{number}",
            get().to(recipes::revision::show),
        )
        .route(
            "/recipes/{recipe}/revisions/{number}/restore",
            post().to(recipes::revision::restore),
        )
        .route("/recipes/{recipe}/compare", get().to(recipes::compare::show))
        .route("/recipes/{recipe}/use", get().to(recipes::using::show))
        .route("/recipes/{recipe}/export", get().to(recipes::export::download))
        .route("/recipes/{recipe}/rename", post().to(recipes::act::rename))
        .route("/recipes/{recipe}/duplicate", post().to(recipes::act::duplicate))
        .route("/recipes/{recipe}/remove", post().to(recipes::act::remove))
        .route("/recipes/{recipe}/bring-back", post().to(recipes::act::bring_back))
        .route("/runs", get().to(runs::list::show))
        .route("/runs", post().to(runs::act::start))
        .route("/runs/{run}", get().to(runs::run::show))
        .route("/runs/{run}/live", get().to(runs::run::live))
        .route("/runs/{run}/state", get().to(runs::run::state))
        .route("/runs/{run}/files/{file}/rows", get().to(runs::rows::show))
        .route("/runs/{run}/files/{file}/rows/{row}", get().to(runs::trace::show))
        .route("/runs/{run}/recipe", get().to(runs::recipe::show))
        .route("/runs/{run}/recipe", post().to(runs::recipe::keep))
        .route("/runs/{run}/again", get().to(runs::recipe::again))
        .route("/runs/{run}/cancel", post().to(runs::act::cancel))
        .route("/runs/{run}/retry", post().to(runs::act::retry))
        .route("/runs/{run}/start", post().to(runs::act::start_at))
        .route("/runs/{run}/then", post().to(runs::act::then))
        .route("/runs/{run}/again", post().to(runs::act::again))
        .route("/runs/{run}/forget", post().to(runs::act::forget));
}

async fn nothing() -> Result<&'static str, PageError> {
    Err(PageError::NotFound)
}
