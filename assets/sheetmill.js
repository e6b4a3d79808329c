// Loaded by every page. Each module looks for what it serves and does nothing where that is missing.
import "./theme.js";
import "./keys.js";
import "./menus.js";
import "./times.js";
import "./live.js";
import "./upload.js";
