-- What the standard claims of OpenID Connect say of a user, as JSON.
alter table users add column profile text not null default '{}';

-- When roles or groups last changed: a hot state that lost writes may have lost that.
alter table users add column rights_changed_at integer;
