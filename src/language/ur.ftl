answer-broken-off = جواب درمیان میں رک گیا۔ براہِ کرم دوبارہ کوشش کریں۔

profile-exists = آپ کا پروفائل پہلے سے موجود ہے؛ `PUT /profile` سے اسے بدلیں۔
profile-missing = آپ کا ابھی کوئی پروفائل نہیں؛ `POST /profile` سے بنائیں۔
profile-of-another = یہ `user_id` آپ کی نہیں: اسے چھوڑ دیں، یا اپنی بھیجیں۔
profile-away = پروفائل اس وقت دستیاب نہیں؛ براہِ کرم چند سیکنڈ بعد دوبارہ کوشش کریں۔
profile-body = کا JSON آبجیکٹ ہونا ضروری ہے
profile-user-id = کا متن ہونا ضروری ہے
profile-choice = ان میں سے ایک ہونا چاہیے: { $choices }
profile-hours = گھنٹوں کا پورا عدد ہونا چاہیے، یا حد جیسے `8_15`، `under_5` یا `20_plus`
profile-language-tag = زبان کا BCP 47 ٹیگ ہونا چاہیے، جیسے `en` یا `ur-PK`
