/* scrub_rules.c -- the rules. Every quantifier that could run on from each place of a long text has
 * an upper bound, so that time stays linear. */
#include "ingest/scrub_rules.h"

#define WORD "[A-Za-z0-9_-]"
#define VALUE "[^\\s\"'&,;)}\\]<>]"

/* Relay's PASSWORD_KEY_REGEX; a bound where it has none. */
#define PASSWORD                                                                                   \
    "password|secret|passwd|api[-_]key|apikey|auth|credentials|mysql_pwd|privatekey|"              \
    "private[-_]key|token[^\\s:=]{0,200}[:=]|^otp$|^two[-_]factor$"

/* The value behind "password=", in group 1 whatever its quotes: "a b", 'a b', \"a\" within JSON in a
 * string, b'a', or a bare word. */
#define SECRET                                                                                     \
    "(?|[bur]{0,2}\\\\[\"'](?!\\[Filtered)([^\"'\\\\\r\n]++)|"                                     \
    "[bur]{0,2}\"(?!\\[Filtered)((?:[^\"\\\\\r\n]|\\\\.)++)|"                                      \
    "[bur]{0,2}'(?!\\[Filtered)((?:[^'\\\\\r\n]|\\\\.)++)|"                                        \
    "(?![bur]{0,2}\\\\?[\"']|\\[Filtered)(" VALUE "++))"
/* what may stand between a name and its '=' or ':': password", db["password"], \"password\" */
#define AFTER_NAME "(?:\\\\?[\"'])?\\]?\\s{0,2}"
#define TYPES "(?:str|bytes|string|SecretStr|Optional\\[str\\]|str \\| None)"

#define QUERY_BYTE "[A-Za-z0-9%+._~*!:/@$-]"
#define INIT_DATA                                                                                  \
    "(?:query_id|user|receiver|chat|chat_type|chat_instance|start_param|can_send_after|"           \
    "auth_date|signature|hash)"

const char SCRUB_KEYS[] =
    "(?i)" PASSWORD "|token|passphrase|credential|access[-_. ]key|"
    "card[-_. ]?number|csrf|xsrf|^(?:pwd|pass|pin|cvv2?|cvc2?|x[-_]api[-_]key)$";
const char SCRUB_KEYS_COOKIE[] =
    "(?i)^(?:(?:set[-_])?cookies?|http\\.request\\.header\\.cookie.*|sentrysid|sudo|su|session|"
    "__session|sessionid|user_session|symfony|phpsessid|fasthttpsessionid|mysession|"
    "irissessionid|_vercel_jwt|fastcsrf)$";
const char SCRUB_KEYS_PHONE[] = "(?i)^(?:phone|phone[-_]?number|vcard|tel)$";
const char SCRUB_KEYS_PAYMENT[] =
    "(?i)^(?:(?:telegram|provider)_payment_charge_id|invoice_payload|order_info|"
    "shipping_address|provider_data|iban)$";
const char SCRUB_KEYS_INIT_DATA[] = "(?i)^(?:tg)?_?(?:web_?app_?)?init_?data(?:_?unsafe)?$|"
                                    "^tgWebAppData$";

const char *const SCRUB_CLASSES[] = {"password",  "creditcard", "iban",   "pem",     "urlauth",
                                     "userpath",  "ssn",        "bearer", "email",   "cookies",
                                     "bot_token", "init_data",  "phone",  "payment", NULL};

const struct scrub_rule SCRUB_RULES[] = {
    /* 123456:AA…, also behind "bot" in an api.telegram.org URL */
    {"bot_token", "(?<!\\d)\\d{6,12}(?::|%3[Aa])(" WORD "{30,})", SCRUB_NAMES, false, false,
     NEED_BOT},
    {"bearer", "(?i)\\bBearer\\s{1,8}([^\\s\"',;)}\\]<]{8,})", SCRUB_NAMES, false, false,
     NEED_BEARER},
    {"urlauth", "//[^\\s/:@\"'<>]{0,256}:([^\\s/@\"'<>]{1,256})@", SCRUB_NAMES, false, false,
     NEED_AT | NEED_SLASHES},
    {"init_data", "tgWebAppData=([^&\\s\"'#<>]+)", SCRUB_NAMES, false, false, NEED_WEB_APP},
    /* a value has no byte that a name may stand behind, but '&': runs never overlap */
    {"init_data",
     "(?<!" QUERY_BYTE ")((?:" INIT_DATA "=" QUERY_BYTE "{0,4096}&){2,12}" INIT_DATA "=" QUERY_BYTE
     "{0,4096})",
     SCRUB_NAMES, false, false, NEED_QUERY},
    /* what is behind the mark goes up to the next five dashes: one cut off before its end goes too,
     * and one with headers (RFC 1421) whole */
    {"pem",
     "-----BEGIN[A-Z ]{1,40}(?:PRIVATE|PUBLIC) KEY-----\\s{0,4}(?:\\\\n)?"
     "((?:[^-]|-(?!----))++)",
     SCRUB_NAMES, false, false, NEED_DASHES},
    {"creditcard", "\\b((?:3[47]\\d|4\\d{3}|5[1-5]\\d\\d|65\\d\\d|6011)(?:[-\\s]?\\d){12})\\b",
     SCRUB_WORDS, false, false, NEED_DIGITS_15},
    {"iban",
     "\\b((?:A[DELTZ]|B[AEGHRY]|C[HRYZ]|D[EKOJ]|E[EGS]|F[IOKR]|G[BEILRT]|H[RU]|I[ELQRST]|J[O]|"
     "K[WZ]|L[BCITUVY]|M[CDEKNRTU]|N[LIO]|OM|P[KLST]|QA|R[OSU]|S[ACDEIKMOTV]|T[LNR]|U[A]|V[AG]|"
     "XK|A[O]|B[FIJ]|C[FGIMV]|D[Z]|G[AQW]|H[N]|I[R]|K[M]|M[AGLZ]|N[E]|S[N]|T[DG])"
     "\\d{2}[A-Za-z0-9]{11,29})\\b",
     SCRUB_WORDS, false, false, NEED_IBAN},
    {"ssn", "\\b([0-9]{3}-[0-9]{2}-[0-9]{4})\\b", SCRUB_WORDS, false, false, NEED_SSN},
    /* password=…, "secret": "…" in text that stays readable; ':' not behind "token", which parsers
     * complain about ("unexpected token: }") */
    {"password",
     "(?i)(?:pass(?:word|wd|phrase)|pwd|secret|api[-_]?key|access[-_]?key|token|credentials?"
     ")" AFTER_NAME "(?::\\s{0,2}" TYPES "\\s{0,2})?=\\s{0,2}" SECRET,
     SCRUB_WORDS, true, false, NEED_ASSIGNED},
    {"password",
     "(?i)(?:pass(?:word|wd|phrase)|secret(?:[-_]token)?|api[-_]?key|access[-_]?key|"
     "(?:access|auth|refresh|bot)[-_]?token)" AFTER_NAME ":\\s{0,2}(?!Bearer|" TYPES "\\b)" SECRET,
     SCRUB_WORDS, true, false, NEED_ASSIGNED},
    /* the scheme stays readable; Digest and its kin have quotes within */
    {"password",
     "(?i)authorization" AFTER_NAME "[:=]\\s{0,2}(?:\\\\?[\"'])?(?!Bearer|\\[Filtered)"
     "(?|(?:Digest|AWS4-HMAC-SHA256)\\s{1,4}([^\r\n]{1,2048})|"
     "(?:[A-Za-z][A-Za-z0-9-]{1,20}\\s{1,4}(?=[^\\s\"']{4}))?(?!\\[Filtered)(" VALUE "+))",
     SCRUB_WORDS, true, false, NEED_ASSIGNED},
    {"cookies",
     "(?i)cookie" AFTER_NAME
     ":\\s{0,2}(?:\\\\?[\"'])?([A-Za-z0-9_.-]{1,64}=[^\"'\\\\\r\n]{1,4096})",
     SCRUB_WORDS, true, false, NEED_COOKIE},
    {"phone", "(?i)phone(?:_number)?[\"']?\\s{0,2}[:=]\\s{0,2}[\"']?(\\+?\\d[\\d\\s()-]{5,20})",
     SCRUB_WORDS, false, false, NEED_PHONE},
    {"payment",
     "(?i)(?:(?:telegram|provider)_payment_charge_id|invoice_payload)[\"']?\\s{0,2}[:=]\\s{0,2}"
     "[\"']?(" VALUE "+)",
     SCRUB_WORDS, false, false, NEED_PAYMENT},
    {"email",
     "\\b[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-zA-Z0-9-]{1,63}(?:\\.[a-zA-Z0-9-]{1,63}"
     "){0,8}\\.[a-zA-Z]{2,24}\\b",
     SCRUB_TEXT, true, false, NEED_AT},
    {"userpath",
     "(?i)(?:\\b(?:[a-z]:[\\\\/])?(?:users|home|documents and settings|"
     "[^/\\\\]{1,64}[/\\\\]profiles)[\\\\/]|/(?:home|users)/)([^/\\\\\\r\\n]{1,64})",
     SCRUB_ALL, false, false, NEED_PLACE},
    /* last: what was only a secret among other words is gone by now */
    {"password", "(?i)" PASSWORD, SCRUB_ALL, false, true, NEED_WORD},
};
const size_t SCRUB_RULES_COUNT = sizeof SCRUB_RULES / sizeof *SCRUB_RULES;
