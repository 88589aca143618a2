"""A Hugging Face model played in a process of its own: `folder` checks it, `loading` loads it, `batch` decodes,
`worker` is the process, `process` our end of the pipe. torch and transformers are imported inside functions only."""
