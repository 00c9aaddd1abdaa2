import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

export default tseslint.config(
	{ignores: ['dist/', 'coverage/', 'node_modules/']},
	js.configs.recommended,
	...tseslint.configs.strictTypeChecked,
	{
		languageOptions: {
			parserOptions: {
				projectService: {allowDefaultProject: ['eslint.config.js', 'native-tests.config.js']},
				tsconfigRootDir: import.meta.dirname,
			},
		},
		rules: {
			'@typescript-eslint/switch-exhaustiveness-check': ['error', {considerDefaultExhaustiveForUnions: true}],
			'@typescript-eslint/restrict-template-expressions': ['error', {allowNumber: true, allowBoolean: true}],
			'@typescript-eslint/no-confusing-void-expression': ['error', {ignoreArrowShorthand: true}],
			// Array indices in the codec and the tables are checked by their own bounds; `!` says so where it is used.
			'@typescript-eslint/no-non-null-assertion': 'off',
			'no-restricted-syntax': [
				'error',
				{selector: 'ExportDefaultDeclaration', message: 'Named exports only.'},
			],
		},
	},
	{
		files: ['eslint.config.js', 'native-tests.config.js'],
		extends: [tseslint.configs.disableTypeChecked],
		rules: {'no-restricted-syntax': 'off'},
	},
	prettier,
);
