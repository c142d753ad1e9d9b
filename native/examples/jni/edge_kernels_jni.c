/* The native methods of EdgeKernels.java. */
#include <edge_kernels.h>
#include <jni.h>
#include <stdlib.h>

static void throw(JNIEnv *env, const char *type, const char *message) {
    jclass class = (*env)->FindClass(env, type);
    if (class != NULL) (*env)->ThrowNew(env, class, message);
}

static void throw_status(JNIEnv *env, ek_status status) {
    throw(env, "java/lang/IllegalArgumentException", ek_status_message(status));
}

static void *allocate(JNIEnv *env, size_t size) {
    void *memory = malloc(size > 0 ? size : 1);
    if (memory == NULL) throw(env, "java/lang/OutOfMemoryError", "edge_kernels");
    return memory;
}

/* Decodes a Java string into `text` (length + 1 values) with the UTF-16 position of each character, or NULL. */
static int decode(JNIEnv *env, jstring string, uint32_t *text, uint32_t *offsets, size_t *length) {
    size_t size = (size_t)(*env)->GetStringLength(env, string);
    const jchar *units = (*env)->GetStringChars(env, string, NULL);
    if (units == NULL) return 0;
    ek_status status = ek_ucs_from_utf16(units, size, text, offsets, size + 1, length);
    (*env)->ReleaseStringChars(env, string, units);
    if (status != EK_OK) throw_status(env, status);
    return status == EK_OK;
}

static jbyteArray build_words(JNIEnv *env, jobjectArray words, size_t count, uint32_t *text,
                              size_t *ends, uint32_t *values) {
    size_t at = 0, length, scratch_size, capacity, size = 0;
    for (size_t i = 0; i < count; i++) {
        jstring word = (*env)->GetObjectArrayElement(env, words, (jsize)i);
        int decoded = decode(env, word, text + at, NULL, &length);
        (*env)->DeleteLocalRef(env, word);
        if (!decoded) return NULL;
        ends[i] = at += length;
        values[i] = (uint32_t)i;
    }
    
    ek_trie_words source = {text, ends, values, count, EK_TRIE_INT32};
    ek_trie_build_sizes(count, at, &scratch_size, &capacity);
    for (;; scratch_size *= 2, capacity *= 2) {
        jbyteArray result = NULL;
        void *scratch = allocate(env, scratch_size), *output = allocate(env, capacity);
        ek_status status = EK_BAD_ARGUMENT;
        if (scratch != NULL && output != NULL) {
            status = ek_trie_build(&source, scratch, scratch_size, output, capacity, &size);
            if (status == EK_OK && (result = (*env)->NewByteArray(env, (jsize)size)) != NULL)
                (*env)->SetByteArrayRegion(env, result, 0, (jsize)size, output);
            if (status != EK_OK && status != EK_TOO_SMALL) throw_status(env, status);
        }
        free(scratch);
        free(output);
        if (status != EK_TOO_SMALL) return result;
    }
}

JNIEXPORT jbyteArray JNICALL Java_EdgeKernels_build(JNIEnv *env, jclass class, jobjectArray words) {
    (void)class;
    size_t count = (size_t)(*env)->GetArrayLength(env, words), units = 0;
    for (size_t i = 0; i < count; i++) {
        jstring word = (*env)->GetObjectArrayElement(env, words, (jsize)i);
        if (word == NULL) {
            throw(env, "java/lang/NullPointerException", "a word is null");
            return NULL;
        }
        units += (size_t)(*env)->GetStringLength(env, word);
        (*env)->DeleteLocalRef(env, word);
    }
    jbyteArray result = NULL;
    uint32_t *text = allocate(env, (units + 1) * sizeof *text), *values = allocate(env, count * sizeof *values);
    size_t *ends = allocate(env, count * sizeof *ends);
    if (text && values && ends) result = build_words(env, words, count, text, ends, values);
    free(text);
    free(values);
    free(ends);
    return result;
}

JNIEXPORT jlong JNICALL Java_EdgeKernels_open(JNIEnv *env, jclass class, jobject buffer) {
    (void)class;
    const void *data = (*env)->GetDirectBufferAddress(env, buffer);
    jlong size = (*env)->GetDirectBufferCapacity(env, buffer);
    ek_trie *trie = allocate(env, sizeof *trie);
    if (trie == NULL) return 0;
    ek_status status = ek_trie_open(trie, data, size < 0 ? 0 : (size_t)size, 0);
    if (status == EK_OK) return (jlong)(intptr_t)trie;
    free(trie);
    throw_status(env, status);
    return 0;
}

JNIEXPORT void JNICALL Java_EdgeKernels_close(JNIEnv *env, jclass class, jlong handle) {
    (void)env;
    (void)class;
    free((void *)(intptr_t)handle);
}

/* Matches of the decoded text as rows of start, end, value; NULL if an exception is pending. */
static jintArray find(JNIEnv *env, const ek_trie *trie, ek_ucs text, const uint32_t *offsets) {
    jintArray result = NULL;
    for (size_t capacity = text.length + trie->max_length + 1;; capacity *= 2) {
        int32_t *rows = allocate(env, 6 * capacity * sizeof *rows);
        if (rows == NULL) return NULL;
        ek_matches found = {rows + 3 * capacity, rows + 4 * capacity, (uint32_t *)(rows + 5 * capacity), capacity, 0};
        size_t position = 0;
        ek_status status = ek_trie_matches(trie, text, &position, &found);
        int done = status != EK_OK || position == text.length;
        if (status != EK_OK) throw_status(env, status);
        for (size_t i = 0; i < found.count; i++) {
            rows[3 * i] = (int32_t)offsets[found.starts[i]];
            rows[3 * i + 1] = (int32_t)offsets[found.ends[i]];
            rows[3 * i + 2] = (int32_t)found.values[i];
        }
        if (status == EK_OK && done && (result = (*env)->NewIntArray(env, (jsize)(3 * found.count))) != NULL)
            (*env)->SetIntArrayRegion(env, result, 0, (jsize)(3 * found.count), (const jint *)rows);
        free(rows);
        if (done) return result;
    }
}

JNIEXPORT jintArray JNICALL Java_EdgeKernels_matches(JNIEnv *env, jclass class, jlong handle, jstring string) {
    (void)class;
    size_t size = (size_t)(*env)->GetStringLength(env, string), length;
    jintArray result = NULL;
    uint32_t *text = allocate(env, (size + 1) * sizeof *text), *offsets = allocate(env, (size + 1) * sizeof *offsets);
    if (text && offsets && decode(env, string, text, offsets, &length)) {
        ek_ucs view = {text, length, 4};
        result = find(env, (const ek_trie *)(intptr_t)handle, view, offsets);
    }
    free(text);
    free(offsets);
    return result;
}
