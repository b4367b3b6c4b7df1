import hooks from 'eslint-plugin-react-hooks';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

// What the design says about the pages, as far as a machine can check it.
const pages = [
  ['JSXAttribute[name.name="style"]', 'style belongs into src/styles: the policy of the pages is for good'],
  ['JSXAttribute[name.name="dangerouslySetInnerHTML"]', 'texts are text, never HTML'],
  ['MemberExpression[property.name="innerHTML"]', 'texts are text, never HTML'],
  ['MemberExpression[object.name="localStorage"]', 'the pages keep nothing: the session is a cookie they cannot read'],
].map(([selector, message]) => ({ selector, message }));

export default defineConfig(
  { ignores: ['dist', 'src/generated', 'e2e/build'] },
  ...tseslint.configs.strict,
  ...tseslint.configs.stylistic,
  {
    files: ['src/**/*.{ts,tsx}'],
    plugins: { 'react-hooks': hooks },
    rules: {
      ...hooks.configs.recommended.rules,
      'no-restricted-syntax': ['error', ...pages],
      'no-restricted-globals': [
        'error',
        { name: 'fetch', message: 'src/api/client.ts talks to the server, through types made from its API' },
      ],
      'no-console': 'error',
      eqeqeq: 'error',
    },
  },
);
