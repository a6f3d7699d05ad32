import { render } from "preact";
import { App } from "./app.tsx";
import { keepOffline } from "./offline/register.ts";
import { watchErrors } from "./state/notices.ts";
import { refuseStrayDrops } from "./ui/drops.ts";

watchErrors();
render(<App />, document.querySelector("#app")!);
keepOffline();
refuseStrayDrops();
