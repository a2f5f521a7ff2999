"""Every mistake that is looked for, the most usual first."""

from __future__ import annotations

from sipua.explain.mistakes import (
    akav2_password,
    client_nonce,
    counting,
    hash_function,
    keys,
    letters,
    method,
    nonce_text,
    not_hashed,
    password_choice,
    protection,
    quotes,
    realm,
    request_uri,
    res_as_text,
    res_length,
    session_form,
    user_name,
)

MISTAKES = (
    *res_as_text.MISTAKES,
    *res_length.MISTAKES,
    *akav2_password.MISTAKES,
    *password_choice.MISTAKES,
    *keys.MISTAKES,
    *request_uri.MISTAKES,
    *realm.MISTAKES,
    *user_name.MISTAKES,
    *method.MISTAKES,
    *protection.MISTAKES,
    *counting.MISTAKES,
    *client_nonce.MISTAKES,
    *session_form.MISTAKES,
    *hash_function.MISTAKES,
    *quotes.MISTAKES,
    *letters.MISTAKES,
    *nonce_text.MISTAKES,
    *not_hashed.MISTAKES,
)
