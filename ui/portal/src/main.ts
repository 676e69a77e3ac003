import { mount } from "svelte";
import App from "./App.svelte";
import "./styles/layers.css";
import { watchLine } from "./frame.svelte";
import { startRouter } from "./router.svelte";
import { start, watchSignIn } from "./session.svelte";

startRouter();
watchLine();
watchSignIn();
void start();

const target = document.getElementById("app");
if (target) mount(App, { target });
