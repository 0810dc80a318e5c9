// A file is put into the field it is meant for; without this file its text is pasted.
for (const upload of document.querySelectorAll("[data-upload]")) {
  upload.addEventListener("change", async () => {
    const [file] = upload.files;
    if (!file) return;
    const field = document.getElementById(upload.dataset.upload);
    field.value = await file.text();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
}
