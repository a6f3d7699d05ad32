import { render } from "preact";
import { App } from "./app.tsx";
import { keepOffline } from "./offline/register.ts";
import { watchErrors } from "./state/notices.ts";

watchErrors();
render(<App />, document.querySelector("#app")!);
keepOffline();
