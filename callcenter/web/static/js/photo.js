// A photo of the work: made smaller on the phone (and without what the phone adds to it), then sent with its key.
import { unsent } from "./focus.js";

const LONG_SIDE = 1600, QUALITY = 0.82;

async function smaller(file) {
  const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  const scale = Math.min(1, LONG_SIDE / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(picture.width * scale);
  canvas.height = Math.round(picture.height * scale);
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
}

document.addEventListener("change", async (event) => {
  const field = event.target;
  const form = field.closest?.("form[data-photo]");
  if (!form || field.type !== "file" || !field.files.length) return;
  const body = new FormData(form);
  try { body.set("photo", await smaller(field.files[0]), "photo.jpg"); } catch { /* sent as it is; the desk looks at it */ }
  form.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(form.action, {
      method: "POST", body, redirect: "manual",
      headers: { "X-CSRF-Token": document.body.dataset.csrf, "HX-Request": "true" },
    });
    if (answer.type === "opaqueredirect" || answer.ok) location.reload();
    else document.getElementById("notices").innerHTML = await answer.text();
  } catch { unsent(form); }
  form.removeAttribute("aria-busy");
  field.value = ""; // the same photo may be chosen once more
});
