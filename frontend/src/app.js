/**
 * The ordinary pages. Everything works without it: it follows long work, closes menus and adds up.
 */
import { tendMenus } from "./menus.js";
import { followAll } from "./progress.js";
import { keepTotals } from "./totals.js";

tendMenus();
followAll();
keepTotals();
