/**
 * The ordinary pages. Everything works without it: it follows long work and closes menus.
 */
import { tendMenus } from "./menus.js";
import { followAll } from "./progress.js";

tendMenus();
followAll();
