# What readers are told, in Urdu. Numbers are in Western digits, as on most sites in Urdu. Text that comes from
# elsewhere, and may be in Latin letters with punctuation at its ends, stands between `-from` and `-to`, which keep its
# direction to itself.

-from = {"\u2068"}
-to = {"\u2069"}

## Accounts, and who a reader is

account-attempts = بہت زیادہ کوششیں ہو چکی ہیں؛ براہِ کرم { $seconds } سیکنڈ بعد دوبارہ کوشش کریں۔
account-away = اس وقت اکاؤنٹس تک رسائی ممکن نہیں؛ براہِ کرم چند سیکنڈ بعد دوبارہ کوشش کریں۔
account-busy = اس وقت بہت سے لوگ سائن اِن کر رہے ہیں؛ براہِ کرم چند سیکنڈ بعد دوبارہ کوشش کریں۔
account-email = درست ای میل پتہ درج کریں، جیسے ada@example.org
account-email-taken = اس ای میل پتے سے اکاؤنٹ پہلے ہی موجود ہے؛ براہِ کرم سائن اِن کریں۔
account-keys-away = ٹوکن جاری کرنے والے کی کلیدیں اس وقت دستیاب نہیں؛ براہِ کرم چند سیکنڈ بعد دوبارہ کوشش کریں۔
account-line = زیادہ سے زیادہ { $max } حروف کی ایک سطر لکھیں
account-list = زیادہ سے زیادہ { $words } اندراجات کی فہرست دیں، ہر اندراج 1 سے { $max } حروف کا ہو
account-name = نام درج کریں
account-password-empty = یہ خالی نہیں ہو سکتا
account-password-long = یہ زیادہ سے زیادہ { $max } بائٹ کا ہو سکتا ہے
account-password-short = یہ کم از کم { $min } حروف کا ہونا چاہیے
account-password-text = یہ متن ہونا چاہیے
account-session-over = آپ کا سیشن ختم ہو چکا ہے؛ براہِ کرم دوبارہ سائن اِن کریں۔
account-session-unknown = یہ ٹوکن اس سرور کے کسی سیشن کا نہیں؛ براہِ کرم سائن اِن کریں۔
account-sign-in = یہ صرف ان قارئین کے لیے ہے جو سائن اِن کر چکے ہیں؛ براہِ کرم پہلے سائن اِن کریں۔
account-visitor-expired = مہمان کے ٹوکن کی میعاد ختم ہو چکی ہے؛ `POST /visitor` سے نیا ٹوکن لیں۔
account-visitor-unknown = مہمان کا یہ ٹوکن اس سرور کا نہیں؛ `POST /visitor` سے نیا ٹوکن لیں۔
account-wrong-pair = ای میل پتہ یا پاس ورڈ غلط ہے۔

## Answers

answer-broken-off = جواب درمیان میں رک گیا۔ براہِ کرم دوبارہ کوشش کریں۔

## Attachments, as they are sent and fetched

attachment-already-there = یہ فائل پہلے ہی بھیجی جا چکی ہے؛ دوسری فائل کو الگ سے منسلک کریں۔
attachment-away = اس وقت منسلک فائلوں تک رسائی ممکن نہیں؛ براہِ کرم چند سیکنڈ بعد دوبارہ کوشش کریں۔
attachment-broken-off = فائل مکمل ہونے سے پہلے ہی ترسیل رک گئی؛ براہِ کرم فائل دوبارہ بھیجیں۔
attachment-empty = فائل خالی ہے؛ براہِ کرم ایسی فائل بھیجیں جس میں کچھ ہو۔
attachment-is-other = اس کا مواد کسی اور قسم کا ہے
attachment-is-pdf = یہ PDF ہے
attachment-link-expired = اس لنک کی میعاد ختم ہو چکی ہے؛ براہِ کرم نیا لنک حاصل کریں۔
attachment-link-wrong = یہ لنک اس سرور کا نہیں، یا اسے تبدیل کر دیا گیا ہے۔
attachment-no-text = اس میں ایسا مواد ہے جو متن نہیں
attachment-no-utf8 = یہ UTF-8 میں لکھا ہوا متن نہیں؛ اسے UTF-8 میں محفوظ کریں
attachment-not-arrived = منسلک فائل { -from }{ $id }{ -to } ابھی تک نہیں پہنچی۔
attachment-not-found = منسلک فائل { -from }{ $id }{ -to } نہیں ملی۔
attachment-not-of-message = اس پیغام کی منسلک فائل { -from }{ $id }{ -to } نہیں ملی؛ براہِ کرم اسے دوبارہ منسلک کریں۔
attachment-not-what-it-says = یہ فائل اپنی بتائی ہوئی قسم { -from }{ $type }{ -to } کی نہیں: { $why }
attachment-off = اس سائٹ پر فائلیں منسلک نہیں کی جا سکتیں؛ سائٹ کے منتظم { -from }ATTACHMENTS_URL{ -to } مقرر کر سکتے ہیں۔
attachment-too-large = فائل { $max } بائٹ سے بڑی ہے؛ براہِ کرم چھوٹی فائل بھیجیں۔
attachment-too-many = بہت سی فائلیں کسی پیغام کے ساتھ بھیجے جانے کی منتظر ہیں؛ ان میں سے کچھ بھیج دیں یا حذف کر دیں، یا کل دوبارہ کوشش کریں۔
attachment-too-slow = فائل وقت پر نہیں پہنچی: درمیان میں { $silence } سیکنڈ اور کل { $whole } سیکنڈ تک انتظار کیا جاتا ہے۔
attachment-type = { -from }{ $type }{ -to } قسم کی فائلیں قبول نہیں کی جاتیں؛ یہ قسمیں قبول کی جاتی ہیں: { -from }{ $accepted }{ -to }
attachment-uploads = اس وقت بہت سی فائلیں بھیجی جا رہی ہیں؛ براہِ کرم چند سیکنڈ بعد دوبارہ کوشش کریں۔

## Conversations

chat-away = اس وقت گفتگوؤں تک رسائی ممکن نہیں؛ براہِ کرم چند سیکنڈ بعد دوبارہ کوشش کریں۔
chat-changed = اس دوران یہ گفتگو تبدیل ہو گئی؛ براہِ کرم اسے دوبارہ کھول کر کوشش کریں۔
chat-closed = یہ گفتگو بند ہو چکی ہے۔ براہِ کرم نئی گفتگو شروع کریں۔
chat-closed-because = یہ گفتگو بند ہو چکی ہے: { -from }{ $reason }{ -to }
chat-closing = سرور دوبارہ شروع ہونے والا ہے۔ براہِ کرم کچھ دیر بعد دوبارہ کوشش کریں۔
chat-failed = درخواست پوری نہیں ہو سکی؛ براہِ کرم دوبارہ کوشش کریں۔
chat-form-done = اس فارم کا جواب پہلے ہی دیا جا چکا ہے یا اسے چھوڑ دیا گیا ہے۔
chat-item-not-found = اس گفتگو میں یہ پیغام نہیں ملا، یا اس سے پہلے آپ کا کوئی پیغام نہیں۔
chat-locked = یہ گفتگو مقفل ہے۔ براہِ کرم نئی گفتگو شروع کریں۔
chat-locked-because = یہ گفتگو مقفل ہے: { -from }{ $reason }{ -to }
chat-message-too-large = آپ کا پیغام { $bytes } بائٹ کا ہے؛ زیادہ سے زیادہ { $max } بائٹ کی اجازت ہے۔
chat-not-active = یہ گفتگو فعال نہیں۔ براہِ کرم نئی گفتگو شروع کریں۔
chat-not-saved = آپ کا پیغام اس وقت محفوظ نہیں ہو سکا۔ براہِ کرم کچھ دیر بعد دوبارہ کوشش کریں۔
chat-still-answering = اس سے پہلے کا جواب ابھی لکھا جا رہا ہے۔ براہِ کرم کچھ دیر بعد دوبارہ کوشش کریں۔
chat-thread-not-found = یہ گفتگو نہیں ملی؛ براہِ کرم اپنی گفتگوؤں کی فہرست دیکھیں۔
chat-too-slow = درخواست میں بہت زیادہ وقت لگ گیا؛ براہِ کرم دوبارہ کوشش کریں۔

## Requests, before anybody looks at what they ask for, and what is wrong with their members

door-between-members = {"؛ "}
door-body-broken = درخواست مکمل ہونے سے پہلے ہی رک گئی۔
door-body-too-large = درخواست { $max } بائٹ سے بڑی ہے۔
door-body-too-slow = درخواست { -from }{ $time }{ -to } کے اندر نہیں پہنچی۔
door-internal = ہماری طرف سے کوئی خرابی ہو گئی ہے۔
door-member = { -from }{ $member }{ -to }: { $problem }
door-member-count = یہ 0 یا اس سے بڑا پورا عدد ہونا چاہیے
door-member-flag = یہ true یا false ہونا چاہیے
door-member-number = یہ 0 یا اس سے بڑا پورا عدد ہونا چاہیے، یا null
door-member-numbers = یہ 0 یا اس سے بڑے پورے اعداد کی فہرست ہونی چاہیے، یا null
door-member-object = یہ JSON آبجیکٹ ہونا چاہیے
door-member-object-at = یہ JSON آبجیکٹ ہونا چاہیے (سطر { $line }، کالم { $column })
door-member-stretch = یہ اس طرح ہونا چاہیے: { -from }`limit=…&offset=…`{ -to }
door-member-text = یہ متن ہونا چاہیے، اور خالی نہیں ہو سکتا
door-member-text-between = یہ { $min } سے { $max } حروف کا متن ہونا چاہیے
door-member-text-from = یہ کم از کم { $min } حروف کا متن ہونا چاہیے
door-member-text-or-null = یہ متن ہونا چاہیے، یا null
door-member-text-up-to = یہ زیادہ سے زیادہ { $max } حروف کا متن ہونا چاہیے
door-member-texts = یہ متن کے ٹکڑوں کی فہرست ہونی چاہیے
door-member-word = یہ ان میں سے ہونا چاہیے: { -from }{ $words }{ -to }
door-no-file = اس صفحے کی ایسی کوئی فائل نہیں۔
door-no-page = ساتھ دی گئی کتاب میں ایسا کوئی صفحہ نہیں۔
door-no-route = اس پتے پر کچھ نہیں: { -from }{ $path }{ -to }
door-or = {" یا "}
door-path-no-text = یہ پتہ UTF-8 میں نہیں، اس لیے یہ کسی چیز کا نام نہیں۔
door-too-many-requests = آپ کے پتے سے بہت زیادہ درخواستیں آئی ہیں؛ براہِ کرم { $wait } دوبارہ کوشش کریں۔

## Files that an answer is written without

file-damaged = یہ خراب ہے
file-empty = یہ خالی ہے
file-given-later = یہ بعد کے ایک پیغام کے ساتھ دی گئی ہے
file-left-out-line = { -from }{ $name }{ -to }: { $why }۔
file-left-out-one = جواب { -from }{ $name }{ -to } کے بغیر لکھا گیا ہے: { $why }۔
file-left-out-several = جواب ان فائلوں کے بغیر لکھا گیا ہے۔
file-locked = یہ پاس ورڈ سے محفوظ ہے
file-missing = یہ نہیں پہنچی
file-refused = ماڈل نے یہ تصویر قبول نہیں کی
file-too-large = یہ اتنی بڑی ہے کہ پڑھی نہیں جا سکتی
file-too-much = باقی فائلوں کے ساتھ اس کے لیے جگہ نہیں بچی
file-unreadable = اس قسم کی فائل یہاں پڑھی نہیں جا سکتی
file-unseen = یہ تصویر ہے، اور اس سائٹ کا ماڈل تصویریں نہیں دیکھتا
file-wordless = اس میں کوئی متن نہیں ملا؛ شاید یہ اسکین کی گئی ہے

## What an answer rests on

ground-away-all = **نوٹ:** کتاب اس وقت دیکھی نہیں جا سکی۔ یہ جواب اس پر مبنی نہیں ہے۔
ground-away-some = **نوٹ:** کتاب اس وقت دیکھی نہیں جا سکی۔ ہو سکتا ہے کہ یہ پورا جواب اس پر مبنی نہ ہو۔
ground-not-covered = کتاب میں اس کے بارے میں کچھ نہیں ہے، اور یہاں جواب صرف کتاب سے دیا جاتا ہے۔ شاید دوسرے الفاظ میں، یا موضوع کے کسی محدود حصے کے بارے میں پوچھنا مفید ہو۔
ground-unsupported-all = **نوٹ:** اس جواب کا کوئی حصہ کتاب میں نہیں ملا۔ براہِ کرم اس پر بھروسا کرنے سے پہلے تصدیق کر لیں۔
ground-unsupported-only = **نوٹ:** یہ جواب کتاب میں نہیں ملا۔ براہِ کرم اس پر بھروسا کرنے سے پہلے تصدیق کر لیں۔
ground-unsupported-some =
    { $count ->
        [one] **نوٹ:** اوپر کے { $all } میں سے ایک بیان کتاب میں نہیں ملا۔ براہِ کرم اس پر بھروسا کرنے سے پہلے تصدیق کر لیں۔
       *[other] **نوٹ:** اوپر کے { $all } میں سے { $count } بیانات کتاب میں نہیں ملے۔ براہِ کرم ان پر بھروسا کرنے سے پہلے تصدیق کر لیں۔
    }

## The language itself: `ltr` or `rtl`, and what its readers call it

language-direction = rtl
language-name = اردو

## Limits

limit-address-messages-day =
    { $count ->
        [one] آپ کے نیٹ ورک سے ایک دن میں 1 پیغام آ چکا ہے۔
       *[other] آپ کے نیٹ ورک سے ایک دن میں { $count } پیغامات آ چکے ہیں۔
    }
limit-address-messages-minute =
    { $count ->
        [one] آپ کے نیٹ ورک سے ایک منٹ میں 1 پیغام آ چکا ہے۔
       *[other] آپ کے نیٹ ورک سے ایک منٹ میں { $count } پیغامات آ چکے ہیں۔
    }
limit-address-recordings-day =
    { $count ->
        [one] آپ کے نیٹ ورک سے ایک دن میں 1 ریکارڈنگ آ چکی ہے۔
       *[other] آپ کے نیٹ ورک سے ایک دن میں { $count } ریکارڈنگز آ چکی ہیں۔
    }
limit-address-recordings-minute =
    { $count ->
        [one] آپ کے نیٹ ورک سے ایک منٹ میں 1 ریکارڈنگ آ چکی ہے۔
       *[other] آپ کے نیٹ ورک سے ایک منٹ میں { $count } ریکارڈنگز آ چکی ہیں۔
    }
limit-again = { $reached } براہِ کرم { $when } دوبارہ کوشش کریں۔
limit-at = { -from }{ $time } UTC{ -to } پر
limit-in-seconds =
    { $count ->
        [one] 1 سیکنڈ بعد
       *[other] { $count } سیکنڈ بعد
    }
limit-reader-messages-day =
    { $count ->
        [one] آپ ایک دن میں 1 پیغام بھیج چکے ہیں۔
       *[other] آپ ایک دن میں { $count } پیغامات بھیج چکے ہیں۔
    }
limit-reader-messages-minute =
    { $count ->
        [one] آپ ایک منٹ میں 1 پیغام بھیج چکے ہیں۔
       *[other] آپ ایک منٹ میں { $count } پیغامات بھیج چکے ہیں۔
    }
limit-reader-recordings-day =
    { $count ->
        [one] آپ ایک دن میں 1 ریکارڈنگ بھیج چکے ہیں۔
       *[other] آپ ایک دن میں { $count } ریکارڈنگز بھیج چکے ہیں۔
    }
limit-reader-recordings-minute =
    { $count ->
        [one] آپ ایک منٹ میں 1 ریکارڈنگ بھیج چکے ہیں۔
       *[other] آپ ایک منٹ میں { $count } ریکارڈنگز بھیج چکے ہیں۔
    }
limit-streams =
    { $count ->
        [one] آپ کے لیے پہلے ہی 1 جواب لکھا جا رہا ہے۔ براہِ کرم اس کے ختم ہونے پر دوبارہ کوشش کریں۔
       *[other] آپ کے لیے پہلے ہی { $count } جوابات لکھے جا رہے ہیں۔ براہِ کرم ان میں سے کسی کے ختم ہونے پر دوبارہ کوشش کریں۔
    }
limit-tokens = آپ کے جوابات ایک دن کے { $count } ٹوکن استعمال کر چکے ہیں۔

## The model, when it fails

model-busy = ماڈل اس وقت مصروف ہے۔ براہِ کرم { $when } دوبارہ کوشش کریں۔
model-cut = ماڈل کا جواب درمیان میں رک گیا۔ براہِ کرم دوبارہ کوشش کریں۔
model-failed = ماڈل فراہم کرنے والے کو اس وقت کوئی مسئلہ درپیش ہے۔ براہِ کرم ایک منٹ بعد دوبارہ کوشش کریں۔
model-filtered = ماڈل فراہم کرنے والا اس سوال کے جواب کی اجازت نہیں دیتا۔ شاید دوسرے الفاظ میں پوچھنا مفید ہو۔
model-garbled = ماڈل نے جو بھیجا وہ جواب نہیں ہے۔ براہِ کرم دوبارہ کوشش کریں۔
model-key = یہ سائٹ اپنا ماڈل استعمال نہیں کر سکتی: فراہم کرنے والا سائٹ کی کلید قبول نہیں کرتا۔ براہِ کرم سائٹ کے منتظم کو اطلاع دیں۔
model-no-answer = ماڈل نے اس کا کوئی جواب نہیں دیا۔ براہِ کرم دوبارہ کوشش کریں، یا دوسرے الفاظ میں پوچھیں۔
model-no-quota = اس سائٹ کے پاس اپنے ماڈل کا کوٹا باقی نہیں رہا، اور انتظار سے فائدہ نہیں ہو گا۔ براہِ کرم سائٹ کے منتظم کو اطلاع دیں۔
model-quota = اس سائٹ کے ماڈل کا آج کا کوٹا ختم ہو چکا ہے۔ براہِ کرم { $when } دوبارہ تشریف لائیں۔
model-quota-tomorrow = اس سائٹ کے ماڈل کا آج کا کوٹا ختم ہو چکا ہے۔ براہِ کرم کل دوبارہ تشریف لائیں۔
model-refused = ماڈل نے اس درخواست سے انکار کر دیا۔ شاید دوسرے الفاظ میں پوچھنا مفید ہو۔
model-resting = ماڈل مسلسل کئی بار ناکام ہوا ہے، اس لیے اسے کچھ دیر آرام دیا جا رہا ہے۔ براہِ کرم { $when } دوبارہ کوشش کریں۔
model-silent = ماڈل نے جواب جاری رکھنے میں بہت دیر لگا دی۔ براہِ کرم دوبارہ کوشش کریں۔
model-unknown = یہ سائٹ اپنا ماڈل استعمال نہیں کر سکتی: فراہم کرنے والا اس ماڈل کو نہیں جانتا۔ براہِ کرم سائٹ کے منتظم کو اطلاع دیں۔
model-unreachable = اس وقت ماڈل سے رابطہ نہیں ہو سکا۔ براہِ کرم ایک منٹ بعد دوبارہ کوشش کریں۔

## The offline model

offline-cannot-search = کتاب میں اس وقت تلاش ممکن نہیں۔ براہِ کرم کچھ دیر بعد دوبارہ پوچھیں۔
offline-farewell = خدا حافظ! کتاب اور میں یہیں ہیں۔
offline-greeting = السلام علیکم! کتاب کے بارے میں جو چاہیں پوچھیں۔
offline-nothing-asked = آپ کیا جاننا چاہتے ہیں؟ کتاب کے بارے میں جو چاہیں پوچھیں۔
offline-nothing-found = کتاب میں اس بارے میں کچھ نہیں ہے۔
offline-thanks = کوئی بات نہیں! کتاب میں کچھ اور واضح نہ ہو تو ضرور پوچھیں۔

## Profiles

profile-away = اس وقت پروفائل تک رسائی ممکن نہیں؛ براہِ کرم چند سیکنڈ بعد دوبارہ کوشش کریں۔
profile-body = یہ JSON آبجیکٹ ہونا چاہیے
profile-choice = یہ ان میں سے ایک ہونا چاہیے: { -from }{ $choices }{ -to }
profile-exists = آپ کا پروفائل پہلے ہی موجود ہے؛ اسے { -from }PUT /profile{ -to } سے تبدیل کریں۔
profile-hours = یہ گھنٹوں کا پورا عدد ہونا چاہیے، یا کوئی حد، جیسے { -from }8_15{ -to }، { -from }under_5{ -to } یا { -from }20_plus{ -to }
profile-language-tag = یہ زبان کا BCP 47 ٹیگ ہونا چاہیے، جیسے { -from }en{ -to } یا { -from }ur-PK{ -to }
profile-missing = ابھی آپ کا کوئی پروفائل نہیں؛ { -from }POST /profile{ -to } سے نیا پروفائل بنائیں۔
profile-of-another = یہ { -from }user_id{ -to } آپ کی نہیں؛ اسے چھوڑ دیں، یا اپنی بھیجیں۔
profile-user-id = یہ متن ہونا چاہیے

## Personalizing and translating. What is wrong with a member follows on its name

rewrite-busy = ماڈل اس وقت بہت مصروف ہے۔ براہِ کرم کچھ دیر بعد دوبارہ کوشش کریں؛ یہ کوشش شمار نہیں ہوئی۔
rewrite-content-too-short = یہ متن آپ کے لیے دوبارہ لکھنے کو بہت مختصر ہے: اس میں کم از کم { $limit } حروف ہونے چاہییں۔
rewrite-damaged = ماڈل نے متن کا کوڈ، لنک اور فارمولے جوں کے توں نہیں رکھے۔ براہِ کرم دوبارہ کوشش کریں؛ یہ کوشش شمار نہیں ہوئی۔
rewrite-failed = متن لکھا نہیں جا سکا۔ براہِ کرم دوبارہ کوشش کریں؛ یہ کوشش شمار نہیں ہوئی۔
rewrite-member-page-url = یہ کسی صفحے کا پتہ ہونا چاہیے، 1 سے { $limit } حروف کا
rewrite-member-same-language = یہ اس زبان کے علاوہ کوئی زبان ہونی چاہیے جس میں متن ہے
rewrite-member-tag = یہ زبان کا BCP 47 ٹیگ ہونا چاہیے، جیسے `en` یا `ur-PK`
rewrite-no-model = اس سرور کے پاس متن دوبارہ لکھنے والا کوئی ماڈل نہیں؛ سائٹ کے منتظم ان میں سے ایک مقرر کر سکتے ہیں: { -from }GEMINI_API_KEY, OPENAI_API_KEY, COHERE_API_KEY, OLLAMA_BASE_URL{ -to }
rewrite-profile-incomplete = آپ کا پروفائل آپ کے لیے لکھنے کو کافی نہیں: `POST /profile` یا `PUT /profile` سے بتائیں کہ آپ کیا جانتے ہیں اور کیسے سیکھتے ہیں۔
rewrite-quota-personalizations = آپ ایک دن کے { $limit } ذاتی متن استعمال کر چکے ہیں۔ نئے متن { -from }00:00 UTC{ -to } پر دستیاب ہوں گے۔
rewrite-quota-translations = آپ ایک دن کے { $limit } ترجمے استعمال کر چکے ہیں۔ نئے ترجمے { -from }00:00 UTC{ -to } پر دستیاب ہوں گے۔
rewrite-stopped = سرور دوبارہ شروع ہونے والا ہے۔ براہِ کرم تھوڑی دیر میں دوبارہ کوشش کریں؛ یہ کوشش شمار نہیں ہوئی۔
rewrite-too-slow = ماڈل نے بہت دیر لگا دی۔ براہِ کرم دوبارہ کوشش کریں؛ یہ کوشش شمار نہیں ہوئی۔

## Searches of the book

search-away = کتاب اس وقت دیکھی نہیں جا سکی۔
search-away-again = کتاب اس وقت دیکھی نہیں جا سکی۔ براہِ کرم کچھ دیر بعد دوبارہ کوشش کریں۔
search-found =
    { $count ->
        [one] کتاب میں ایک اقتباس ملا
       *[other] کتاب میں { $count } اقتباسات ملے
    }
search-found-nothing = کتاب میں کچھ نہیں ملا
search-looking = کتاب میں تلاش جاری ہے: ”{ -from }{ $query }{ -to }“
search-nothing = کتاب میں اس کے بارے میں کچھ نہیں ہے۔
search-title = کتاب میں تلاش

## The doors of few words

simple-let-go = آپ نے جواب بہت آہستہ پڑھا، اس لیے رابطہ ختم کر دیا گیا۔ جواب اب بھی لکھا جا رہا ہے: کچھ دیر بعد گفتگو دوبارہ کھولیں۔
simple-no-conversation = یہ گفتگو نہیں ملی؛ `/chat/history` میں آپ کی گفتگوؤں کی فہرست ہے۔

## Recordings

transcription-empty = ریکارڈنگ خالی ہے۔
transcription-too-large = ریکارڈنگ { $bytes } بائٹ کی ہے؛ زیادہ سے زیادہ { $max } بائٹ کی اجازت ہے۔
transcription-type = { -from }{ $type }{ -to } قسم کی ریکارڈنگ پڑھی نہیں جا سکتی؛ ان میں سے کوئی بھیجیں: { -from }audio/webm, audio/mp4, audio/ogg, audio/wav, audio/mpeg, audio/flac{ -to }

## The socket

socket-crowded = یہاں پہلے ہی { $max } درخواستوں کے جواب دیے جا رہے ہیں؛ کسی ایک کے مکمل ہونے کا انتظار کریں۔

## How long to wait for the model

wait-hours = تقریباً { $count } گھنٹے بعد
wait-minute = ایک منٹ بعد
wait-minutes = تقریباً { $count } منٹ بعد
wait-second = ایک سیکنڈ بعد
wait-seconds = { $count } سیکنڈ بعد

## The page at `/`

playground-title = کتاب سے پوچھیں
playground-threads = گفتگوئیں
playground-conversation = گفتگو
playground-new = نئی گفتگو
playground-hint = کتاب کے بارے میں سوال پوچھیں۔ جواب لکھے جانے کے ساتھ ساتھ آتا ہے، اُن صفحات کے روابط کے ساتھ جن پر وہ مبنی ہے۔
playground-question = آپ کا سوال
playground-send = بھیجیں
playground-stop = روکیں
playground-thinking = جواب آ رہا ہے …
playground-complete = جواب مکمل ہو گیا۔
playground-stopped = جواب روک دیا گیا۔
playground-away = اس وقت سرور سے رابطہ نہیں ہو رہا۔ براہِ کرم دوبارہ کوشش کریں۔
playground-retry = دوبارہ کوشش کریں
playground-delete = حذف کریں
playground-sure = کیا یہ گفتگو ہمیشہ کے لیے حذف کر دی جائے؟
playground-sources = ماخذ
playground-reader = آپ:
playground-tutor = استاد:
playground-other = یہ صرف ChatKit ویجٹ والے صفحے پر دکھایا جا سکتا ہے:
playground-book = کتاب
playground-docs = انٹرفیس
playground-readme = تعارف
playground-noscript = اس صفحے کے لیے JavaScript درکار ہے۔
