// Fills in what only the running daemon knows; the page is complete without it.
document.getElementById("origin").textContent = location.origin;
fetch("api/health")
  .then((answer) => answer.json())
  .then((health) => {
    document.getElementById("about").textContent = ` on ${health.name}, version ${health.version}`;
  })
  .catch(() => {});
