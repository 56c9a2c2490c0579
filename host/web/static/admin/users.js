/* SPDX-License-Identifier: ISC */
/* Who may use these pages. */
import { html } from "./html.js";
import { get, query as queryText, send } from "./api.js";
import { session } from "./session.js";
import {
  announce, Button, Card, Chip, Field, formDialog, Loaded, More, Page, Table,
  useData, When,
} from "./ui.js";
import { t } from "./words.js";

const ROLES = ["viewer", "operator", "admin"];
const path = (name) => `/admin/api/users/${encodeURIComponent(name)}/`;

const RoleChoice = ({ value }) => html`<${Field} label=${t("users.role")} hint=${t("users.roles")}>
  <select name="role" value=${value}>${ROLES.map((role) => html`<option value=${role}
    selected=${role === value}>${t(`role.${role}`)}</option>`)}</select><//>`;

const Password = ({ label }) => html`<${Field} label=${label} hint=${t("password.hint")}>
  <input name="password" type="password" autocomplete="new-password" required maxlength="1024" /><//>`;

async function change(reload, options) {
  if (await formDialog(options)) {
    announce(t("ui.saved"));
    reload();
  }
}

const add = (reload) => change(reload, {
  title: t("users.add"),
  action: t("users.add"),
  fields: html`<${Field} label=${t("login.name")}><input name="name" required maxlength="64"
      autocomplete="off" autocapitalize="none" spellcheck=${false} /><//>
    <${RoleChoice} value="viewer" /><${Password} label=${t("login.password")} />`,
  act: (values) => send("POST", "/admin/api/users/", values),
});

const editRole = (user, reload) => change(reload, {
  title: t("users.edit", { name: user.name }),
  action: t("ui.save"),
  fields: html`<${RoleChoice} value=${user.role} />`,
  act: ({ role }) => send("PATCH", path(user.name), { role }),
});

const setPassword = (user, reload) => change(reload, {
  title: t("users.new_password", { name: user.name }),
  text: t("users.new_password_text"),
  action: t("ui.save"),
  fields: html`<${Password} label=${t("password.new")} />`,
  act: ({ password }) => send("PATCH", path(user.name), { password }),
});

const setDisabled = (user, reload) => change(reload, {
  title: t(user.disabled ? "users.enable_title" : "users.disable_title", { name: user.name }),
  text: t(user.disabled ? "users.enable_text" : "users.disable_text"),
  action: t(user.disabled ? "users.enable" : "users.disable"),
  kind: user.disabled ? "primary" : "danger",
  act: () => send("PATCH", path(user.name), { disabled: !user.disabled }),
});

const unlock = async (user, reload) => {
  await send("PATCH", path(user.name), { unlock: true });
  announce(t("ui.saved"));
  reload();
};

const remove = (user, reload) => change(reload, {
  title: t("users.remove_title", { name: user.name }),
  text: t("users.remove_text"),
  action: t("ui.remove"),
  kind: "danger",
  act: () => send("DELETE", path(user.name)),
});

function Row({ user, reload }) {
  const isSelf = user.name === session.value?.user.name;
  const isLocked = user.locked_until && Date.parse(user.locked_until) > Date.now();
  return html`<tr>
    <td><strong>${user.name}</strong> ${isSelf && html`<span class="muted">${t("users.you")}</span>`}</td>
    <td>${t(`role.${user.role}`)}</td>
    <td>${user.disabled ? html`<${Chip} kind="bad">${t("users.disabled")}<//>`
      : isLocked ? html`<${Chip} kind="warn">${t("users.locked")} <${When} value=${
        user.locked_until} /><//>` : html`<${Chip} kind="good">${t("users.active")}<//>`}</td>
    <td><${When} value=${user.last_login_at} /></td>
    <td><${When} value=${user.created_at} /></td>
    <td><span class="row end">
      ${isLocked && html`<${Button} kind="quiet" onClick=${() => unlock(user, reload)}
        >${t("users.unlock")}<//>`}
      <${Button} kind="quiet" onClick=${() => editRole(user, reload)}>${t("users.role")}…<//>
      <${Button} kind="quiet" onClick=${() => setPassword(user, reload)}>${t("login.password")}…<//>
      <${Button} kind="quiet" disabled=${isSelf} onClick=${() => setDisabled(user, reload)}
        >${t(user.disabled ? "users.enable" : "users.disable")}…<//>
      <${Button} kind="quiet danger" disabled=${isSelf} onClick=${() => remove(user, reload)}
        >${t("ui.remove")}…<//></span></td>
  </tr>`;
}

const HEAD = [t("login.name"), t("users.role"), t("users.state"), t("users.last_login"),
  t("users.created"), { label: t("users.change"), number: true }];

export default function Users({ query }) {
  const asked = queryText({ after: query.after });
  const of = useData((signal) => get(`/admin/api/users/${asked}`, { signal }), [asked]);
  return html`<${Page} title=${t("nav.users")} actions=${html`<${Button} kind="primary"
      onClick=${() => add(of.reload)}>${t("users.add")}…<//>`}>
    <p class="muted">${t("users.about")}</p>
    <${Loaded} of=${of}>${({ users, next }) => html`<${Card} flush>
      <${Table} label=${t("nav.users")} head=${HEAD}>
        ${users.map((user) => html`<${Row} key=${user.name} user=${user} reload=${of.reload} />`)}
      <//><${More} page="users" after=${query.after} next=${next} /><//>`}<//>
  <//>`;
}
