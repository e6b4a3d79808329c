// The switch of themes works as a form; here it works without loading the page again.
const COOKIE = "sheetmill_theme";
const ROUND = {
  system: { next: "light", icon: "sun-moon", title: "Theme: as the system" },
  light: { next: "dark", icon: "sun", title: "Theme: light" },
  dark: { next: "system", icon: "moon", title: "Theme: dark" },
};

document.querySelector("[data-theme-form]")?.addEventListener("submit", (event) => {
  event.preventDefault();
  const button = event.target.querySelector("button");
  const theme = button.value;
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  const age = theme === "system" ? 0 : 31536000;
  document.cookie = `${COOKIE}=${theme}; Path=/; Max-Age=${age}; SameSite=Lax${secure}`;
  const { next, icon, title } = ROUND[theme];
  button.value = next;
  button.title = title;
  button.querySelector(".hush").textContent = title;
  const use = button.querySelector("use");
  use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${icon}`));
});
