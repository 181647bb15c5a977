import eslint from "@eslint/js";
import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

/** The rooms of src, the lowest first. A room may use the rooms below it, never those beside it (in
 * the same row) or above it. */
const rooms = [
  ["api"],
  ["city"],
  ["map", "rider", "driver"],
  ["state"],
  ["widgets"],
  ["panels"],
  ["app"],
];

const layering = rooms.flatMap((row, level) =>
  row.map((room) => {
    const beside = row.filter((other) => other !== room);
    const forbidden = [...beside, ...rooms.slice(level + 1).flat()];
    const patterns = forbidden.map((other) => ({
      group: [`../${other}/*`],
      message: `src/${room} must not depend on src/${other}.`,
    }));
    patterns.push({ group: ["../main.js"], message: "Nothing depends on the entry point." });
    return {
      files: [`src/${room}/**`],
      rules: { "@typescript-eslint/no-restricted-imports": ["error", { patterns }] },
    };
  }),
);

export default tseslint.config(
  { ignores: ["dist/", "src/gen/"] },
  eslint.configs.recommended,
  tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: { allowDefaultProject: ["eslint.config.js"] } },
    },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    plugins: { "react-hooks": reactHooks },
    rules: {
      eqeqeq: "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "react-hooks/rules-of-hooks": "error",
    },
  },
  ...layering,
  {
    // Fakes answer at once.
    files: ["src/**/*.test.{ts,tsx}"],
    rules: { "@typescript-eslint/require-await": "off", "require-yield": "off" },
  },
);
