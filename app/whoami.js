// Keeps the name a person gave in this browser, as a cookie that the server reads when a page is opened.
// `data` is { cookie, name }; the name is set to what it is already known to be safe for: percent-encoded text.

export default function ({ data }) {
  const year = 365 * 24 * 60 * 60;
  const age = data.name ? year : 0;
  document.cookie = `${data.cookie}=${encodeURIComponent(data.name)}; max-age=${age}; path=/; SameSite=Lax`;
}
