/* SPDX-License-Identifier: ISC */
import { html } from "./html.js";
import { send } from "./api.js";
import { findSession } from "./session.js";
import { announce, Field, formDialog } from "./ui.js";
import { t } from "./words.js";

const Input = ({ name, use }) => html`<input name=${name} type="password" autocomplete=${use} required
  maxlength="1024" />`;

/* Asks for the old password and a new one, twice. */
export async function changePassword() {
  const isDone = await formDialog({
    title: t("password.title"),
    action: t("password.action"),
    fields: html`
      <${Field} label=${t("password.old")}><${Input} name="old" use="current-password" /><//>
      <${Field} label=${t("password.new")} hint=${t("password.hint")}>
        <${Input} name="new" use="new-password" /><//>
      <${Field} label=${t("password.again")}><${Input} name="again" use="new-password" /><//>`,
    act: async (values) => {
      if (values.new !== values.again) {
        throw new Error(t("password.differ"));
      }
      await send("POST", "/admin/api/password/", { old: values.old, new: values.new });
      await findSession(); /* the server gave a new one */
    },
  });
  if (isDone) {
    announce(t("password.done"));
  }
}
