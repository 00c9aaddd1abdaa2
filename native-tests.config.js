/** ava for the native tests: one process, one test at a time, on the compiled files; `./run-tests native` uses it. */
export default {
	files: ['dist/native-tests/**/*.test.js'],
	workerThreads: false,
	concurrency: 1,
	serial: true,
	timeout: '10m',
};
