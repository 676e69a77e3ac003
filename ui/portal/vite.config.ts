import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

/** What the frame and the first pages need; the parts of a request, and those of signing in, stay with their pages. */
const SHARED =
  /node_modules|\/src\/parts\/(?!SignInForm|PasskeyButton|SecondStep|CodeForm|PasswordForm|RecoveryCodes)[^/]+$|\/src\/i18n\/[^/]+$|\/src\/(api|drafts|format|frame|live|match|problem|resource|router|session|words)\./;

// The built files are committed and embedded in the binary: their names and bytes follow from the source alone.
export default defineConfig({
  plugins: [svelte()],
  build: {
    outDir: "../../pb_public",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // One style sheet, and one chunk of what most pages share: a first visit takes few requests.
    cssCodeSplit: false,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [{ name: "shared", test: SHARED, minShareCount: 2 }],
        },
      },
    },
  },
  server: { proxy: { "/api": "http://127.0.0.1:8090" } },
  test: { include: ["tests/**/*.test.ts"], environment: "node" },
});
