//! Somebody at the builder, who uses what is in view and nothing else: menus, boxes, fields, buttons.

use std::time::Duration;

use fantoccini::Locator;
use fantoccini::actions::{InputSource, MOUSE_BUTTON_LEFT, MouseActions, PointerAction};
use fantoccini::key::Key;
use serde_json::Value;
use sheetmill_engine::recipe::document::Recipe;
use sheetmill_engine::recipe::steps::definition;

use crate::browser::Browser;
use crate::first_light::from_menu;
use crate::wait::until;

/// A hand on the mouse and one on the keys.
pub(super) struct Hand<'a>(pub(super) &'a Browser);

/// An option of the step whose form is open.
fn option(name: &str) -> String {
    format!("[data-form] [data-option='{name}']")
}

impl Hand<'_> {
    /// Waits until what is in view belongs to the recipe as it is, and all rows are counted.
    pub(super) async fn settled(&self) {
        let script = "const done = arguments[arguments.length - 1];
            const look = () => document.querySelector('.previewpane[aria-busy=false]') ? done(true) : requestAnimationFrame(look);
            look();";
        let seen = self.0.page.execute_async(script, vec![]).await;
        assert_eq!(seen.expect("an answer in time"), true);
    }

    /// Adds a step from the list, found by its title.
    pub(super) async fn step(&self, name: &str) {
        self.settled().await;
        let title = definition(name).expect("a step").title;
        self.0.click("[data-add] > summary").await;
        self.0.fill("[data-find]", title).await;
        self.click_at(&format!("//*[@data-list]//button[b[text()=\"{title}\"]]"))
            .await;
        self.settled().await;
    }

    /// Adds a step from the menu of a column.
    pub(super) async fn column_step(&self, column: &str, title: &str) {
        self.settled().await;
        let script = "return [...document.querySelectorAll('#grid .colhead[data-column] .name')].findIndex((it) => it.textContent.trim() === arguments[0]);";
        let at = self
            .0
            .page
            .execute(script, vec![column.into()])
            .await
            .expect("a script");
        let at = at.as_u64().unwrap_or_else(|| panic!("no column {column}"));
        from_menu(self.0, usize::try_from(at).expect("a position"), title).await;
        self.settled().await;
    }

    /// Writes into a text option.
    pub(super) async fn write(&self, name: &str, text: &str) {
        self.into(&format!("{} :is(input, textarea)", option(name)), text).await;
    }

    /// Writes into any field; no text empties it.
    pub(super) async fn into(&self, selector: &str, text: &str) {
        if text.is_empty() {
            self.0.fill(selector, "-").await;
            let field = self.0.see(selector).await;
            field
                .send_keys(&char::from(Key::Backspace).to_string())
                .await
                .expect("a key");
        } else {
            self.0.fill(selector, text).await;
        }
    }

    /// Chooses in a list of an option.
    pub(super) async fn choose(&self, name: &str, value: &str) {
        self.choose_in(&format!("{} select", option(name)), value).await;
    }

    /// Chooses in any list.
    pub(super) async fn choose_in(&self, selector: &str, value: &str) {
        until(&format!("{selector} offers {value}"), async || {
            let list = self.0.see(selector).await;
            list.select_by_value(value).await.ok()
        })
        .await;
    }

    /// Ticks exactly these boxes of an option.
    pub(super) async fn tick(&self, name: &str, wanted: &[&str]) {
        self.tick_in(&option(name), wanted).await;
    }

    /// The same for boxes anywhere.
    pub(super) async fn tick_in(&self, place: &str, wanted: &[&str]) {
        self.0.see(&format!("{place} .choices label")).await;
        let script = "return [...document.querySelector(arguments[0]).querySelectorAll('.choices label')].map((it) => [it.querySelector('span').textContent.trim(), it.querySelector('input').checked]);";
        let boxes = self.0.page.execute(script, vec![place.into()]).await.expect("a script");
        let boxes: Vec<(String, bool)> = serde_json::from_value(boxes).expect("boxes");
        for name in wanted {
            assert!(
                boxes.iter().any(|(title, _)| title == name),
                "{name} is not among {boxes:?}"
            );
        }
        for (at, (title, ticked)) in boxes.iter().enumerate() {
            if *ticked != wanted.contains(&title.as_str()) {
                self.0
                    .click(&format!("{place} .choices label:nth-of-type({})", at + 1))
                    .await;
            }
        }
    }

    /// Ticks the one box of an option.
    pub(super) async fn flag(&self, name: &str) {
        self.0.click(&format!("{} input[type=checkbox]", option(name))).await;
    }

    /// Presses a button with these words inside an element.
    pub(super) async fn press(&self, place: &str, words: &str) {
        self.click_at(&format!("{place}//button[normalize-space(.)=\"{words}\"]"))
            .await;
    }

    async fn click_at(&self, path: &str) {
        until(&format!("{path} can be clicked"), async || {
            self.0.page.find(Locator::XPath(path)).await.ok()?.click().await.ok()
        })
        .await;
    }

    /// The recipe as the text form beside the menus has it.
    pub(super) async fn text(&self) -> String {
        self.settled().await;
        let text = self.0.see("[data-yaml]").await.prop("value").await.expect("a property");
        text.unwrap_or_default()
    }

    /// The same, read.
    pub(super) async fn recipe(&self) -> Recipe {
        let text = self.text().await;
        Recipe::parse(&text).unwrap_or_else(|problems| panic!("{text}\n{problems:?}"))
    }

    /// What the list of steps says, line by line: number, label, and whether it is on.
    pub(super) async fn steps(&self) -> Vec<Value> {
        self.settled().await;
        let script = "return [...document.querySelectorAll('[data-steps] li[data-index]')].map((it) => [it.querySelector('.n').textContent, it.querySelector('.label').textContent, !it.classList.contains('off')]);";
        let lines = self.0.page.execute(script, vec![]).await.expect("a script");
        lines.as_array().cloned().unwrap_or_default()
    }

    /// Presses a button as often as it can be pressed; answers how often.
    pub(super) async fn press_to_the_end(&self, selector: &str) -> usize {
        let mut times = 0;
        while self
            .0
            .see(selector)
            .await
            .attr("disabled")
            .await
            .expect("an attribute")
            .is_none()
        {
            self.0.click(selector).await;
            times += 1;
            assert!(times < 500, "{selector} never comes to an end");
        }
        self.settled().await;
        times
    }

    /// Drags an element onto another with the mouse.
    pub(super) async fn drag(&self, from: &str, onto: &str) {
        let (from, onto) = (self.0.see(from).await, self.0.see(onto).await);
        let press = PointerAction::Down {
            button: MOUSE_BUTTON_LEFT,
        };
        let release = PointerAction::Up {
            button: MOUSE_BUTTON_LEFT,
        };
        let to = |element, y| PointerAction::MoveToElement {
            element,
            duration: Some(Duration::from_millis(150)),
            x: 0.0,
            y,
        };
        let mouse = MouseActions::new("mouse".to_owned())
            .then(to(from, 0.0))
            .then(press)
            .then(to(onto.clone(), -2.0))
            .then(to(onto, 2.0))
            .then(release);
        self.0.page.perform_actions(mouse).await.expect("a mouse");
    }

    /// Moves a step up by the keys, on its line of the list.
    pub(super) async fn move_up(&self, selector: &str) {
        let typed = format!(
            "{}{}{}",
            char::from(Key::Alt),
            char::from(Key::Up),
            char::from(Key::Null)
        );
        self.0.see(selector).await.send_keys(&typed).await.expect("keys");
    }

    /// Scrolls to the top: the form may be long.
    pub(super) async fn to_top(&self) {
        let up = self.0.page.execute("window.scrollTo(0, 0)", vec![]).await;
        up.expect("a script");
    }
}
