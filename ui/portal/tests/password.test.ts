import { expect, it } from "vitest";
import { passwordFault } from "../src/password";

it.each([
  ["short", "short"],
  ["123456789", "short"],
  ["1234567890", "common"],
  ["aaaaaaaaaaaa", "common"],
  ["Password2026!", "common"],
  ["correct horse battery", undefined],
  ["пароль пароль", undefined],
])("the password %o has the fault %s", (password, fault) => expect(passwordFault(password)).toBe(fault));
